using System.Globalization;
using System.Numerics;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>`str.format`; fields reach members by the rules of templates, so nothing more than templates can reach.</summary>
internal sealed class BraceFormat
{
    private readonly CallArguments _arguments;
    private readonly Run _run;
    private int _automatic;
    private bool _manual;

    private BraceFormat(CallArguments arguments, Run run) => (_arguments, _run) = (arguments, run);

    public static string Apply(string text, CallArguments arguments, Run run) => new BraceFormat(arguments, run).Expand(text, levels: 2);

    private string Expand(string text, int levels)
    {
        if (levels == 0)
        {
            throw TemplateException.Value("Max string recursion exceeded");
        }

        var result = new StringBuilder();
        for (var at = 0; at < text.Length;)
        {
            var character = text[at];
            if (character is not ('{' or '}'))
            {
                result.Append(character);
                at++;
            }
            else if (FormatSpec.At(text, at + 1) == character)
            {
                result.Append(character);
                at += 2;
            }
            else if (character == '}')
            {
                throw TemplateException.Value("Single '}' encountered in format string");
            }
            else
            {
                var end = FieldEnd(text, at + 1);
                result.Append(Field(text[(at + 1)..end], levels));
                at = end + 1;
            }

            _run.Meter.Text(result.Length > _run.Meter.Limits.TextCharacters ? result.Length : 1);
        }

        return result.ToString();
    }

    private static int FieldEnd(string text, int at)
    {
        for (var depth = 1; at < text.Length; at++)
        {
            depth += text[at] switch { '{' => 1, '}' => -1, _ => 0 };
            if (depth == 0)
            {
                return at;
            }
        }

        throw TemplateException.Value("expected '}' before end of string");
    }

    private string Field(string field, int levels)
    {
        var mark = field.AsSpan().IndexOfAny('!', ':');
        var name = mark < 0 ? field : field[..mark];
        var rest = mark < 0 ? "" : field[mark..];
        var value = Reached(name);
        if (rest.StartsWith('!'))
        {
            value = FormatSpec.At(rest, 1) switch
            {
                'r' or 'a' => TextForm.Repr(value, _run.Meter),
                's' => _run.Print(value),
                _ => throw TemplateException.Value("Unknown conversion specifier"),
            };
            rest = rest[2..];
        }

        var specification = rest.Length == 0 ? "" : rest[0] == ':'
            ? Expand(rest[1..], levels - 1)
            : throw TemplateException.Value("expected ':' after conversion specifier");
        return ValueFormat.Of(value, specification, _run.Meter);
    }

    private object? Reached(string name)
    {
        var end = name.AsSpan().IndexOfAny('.', '[');
        var value = First(end < 0 ? name : name[..end]);
        for (var at = end < 0 ? name.Length : end; at < name.Length;)
        {
            if (name[at] == '[')
            {
                var close = name.IndexOf(']', at);
                var key = close < 0 ? throw TemplateException.Value("Missing ']' in format string") : name[(at + 1)..close];
                value = Members.Item(value, IsNumber(key) ? BigInteger.Parse(key, CultureInfo.InvariantCulture) : key, _run);
                at = close + 1;
                continue;
            }

            var next = name.AsSpan(at + 1).IndexOfAny('.', '[');
            next = next < 0 ? name.Length : at + 1 + next;
            value = Members.Attribute(value, name[(at + 1)..next], _run);
            at = next;
        }

        return value;
    }

    private object? First(string name)
    {
        if (name.Length > 0 && !IsNumber(name))
        {
            var found = _arguments.Named.Where(pair => pair.Key == name).Select(pair => (object?[])[pair.Value]).LastOrDefault();
            return found is null ? throw new TemplateException(TemplateFault.Runtime, $"the format has no value for '{name}'") : found[0];
        }

        if (name.Length == 0 ? _manual : _automatic > 0)
        {
            throw TemplateException.Value(name.Length == 0
                ? "cannot switch from manual field specification to automatic field numbering"
                : "cannot switch from automatic field numbering to manual field specification");
        }

        _manual |= name.Length > 0;
        var index = name.Length == 0 ? _automatic++ : FormatSpec.Digits(name, 0).Value!.Value;
        return index < _arguments.Positional.Count
            ? _arguments.Positional[(int)index]
            : throw new TemplateException(TemplateFault.Runtime, $"Replacement index {index} out of range for positional args tuple");
    }

    private static bool IsNumber(string text) => text.Length > 0 && text.All(char.IsAsciiDigit) && text.Length < 10;
}
