using System.Text;

namespace InstructTune.Modeling.Prompts;

/// <summary>Fills the places of a template. A value that spells a place stays as it is.</summary>
internal static class PromptTemplate
{
    public static string Fill(string template, params ReadOnlySpan<(string Place, string Value)> values)
    {
        var text = new StringBuilder(template.Length);
        var rest = template;
        foreach (var (place, value) in values)
        {
            var at = rest.IndexOf(place, StringComparison.Ordinal);
            text.Append(rest, 0, at).Append(value);
            rest = rest[(at + place.Length)..];
        }

        return text.Append(rest).ToString();
    }
}
