using System.Globalization;
using System.Text;

namespace InstructTune.Trainer.Publishing;

/// <summary>The few forms of Markdown and YAML that a model card is made of.</summary>
internal sealed class CardText
{
    private readonly StringBuilder _text = new();

    public CardText Line(string line = "")
    {
        _text.Append(line).Append('\n');
        return this;
    }

    public CardText Section(string title, params string[] paragraphs)
    {
        Line().Line("## " + title).Line();
        foreach (var paragraph in paragraphs)
        {
            Line(paragraph);
        }

        return this;
    }

    public CardText Table(IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<string>> rows)
    {
        Line("| " + string.Join(" | ", headers) + " |");
        Line("|" + string.Concat(Enumerable.Repeat(" --- |", headers.Count)));
        foreach (var row in rows)
        {
            Line("| " + string.Join(" | ", row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal).Replace('\n', ' '))) + " |");
        }

        return this;
    }

    /// <summary>A list of YAML's block form.</summary>
    public CardText List(string key, IEnumerable<string> items)
    {
        Line(key + ":");
        foreach (var item in items)
        {
            Line("- " + Scalar(item));
        }

        return this;
    }

    /// <summary>A text that YAML reads as this text.</summary>
    public static string Scalar(string value) => value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or '@') && !IsOther(value)
        ? value
        : "\"" + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal) + "\"";

    public static string Number(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    public static string Loss(double? value) => value?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "";

    public override string ToString() => _text.ToString();

    // What begins like a number, a truth value or an indicator is quoted.
    private static bool IsOther(string value) =>
        char.IsAsciiDigit(value[0]) || value[0] is '-' or '.' or '@' || value is "true" or "false" or "null" or "yes" or "no" or "on" or "off";
}
