namespace InstructTune.Modeling.Templates;

/// <summary>One token after another inside a tag.</summary>
/// <param name="source">The template.</param>
/// <param name="endMark">What closes the tag, unless a bracket is open.</param>
internal sealed class ExpressionScanner(string source, string endMark)
{
    private static readonly string[] _operators =
    [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";",
    ];

    private readonly Stack<char> _open = new();

    /// <summary>The token at a place; its kind is null for white space.</summary>
    public (TokenKind? Kind, int Length, string Value) Next(int at, int line)
    {
        if (_open.Count == 0 && EndLength(at) is > 0 and var end)
        {
            return (endMark == "}}" ? TokenKind.VariableEnd : TokenKind.BlockEnd, end, "");
        }

        if (WhiteSpace.Is(source[at]))
        {
            return (null, 1, "");
        }

        if (NumberScanner.Float(source, at) is > 0 and var real)
        {
            return (TokenKind.Float, real, source.Substring(at, real));
        }

        if (NumberScanner.Integer(source, at) is > 0 and var whole)
        {
            return (TokenKind.Integer, whole, source.Substring(at, whole));
        }

        if (NameLength(at) is > 0 and var name)
        {
            return (TokenKind.Name, name, source.Substring(at, name));
        }

        return source[at] is '\'' or '"' ? Text(at, line) : Operator(at, line);
    }

    private int EndLength(int at)
    {
        var signs = endMark == "%}" && source[at] == '+' || source[at] == '-' ? 1 : 0;
        return string.CompareOrdinal(source, at + signs, endMark, 0, 2) == 0 ? 2 + signs : 0;
    }

    private int NameLength(int at)
    {
        var end = at;
        while (end < source.Length && (source[end] == '_' || char.IsLetterOrDigit(source[end])))
        {
            end++;
        }

        return end - at;
    }

    private (TokenKind?, int, string) Text(int at, int line)
    {
        var end = at + 1;
        while (end < source.Length && source[end] != source[at])
        {
            end += source[end] == '\\' ? 2 : 1;
        }

        return end < source.Length
            ? (TokenKind.Text, end + 1 - at, TextLiteral.Unescape(source.AsSpan(at + 1, end - at - 1), line))
            : throw new TemplateException(TemplateFault.Syntax, $"unexpected char {TextForm.Quote(source[at].ToString())}: the string does not end", line);
    }

    private (TokenKind?, int, string) Operator(int at, int line)
    {
        var spelling = Array.Find(_operators, o => string.CompareOrdinal(source, at, o, 0, o.Length) == 0)
            ?? throw new TemplateException(TemplateFault.Syntax, $"unexpected char {TextForm.Quote(source[at].ToString())}", line);
        switch (spelling[0])
        {
            case '(' or '[' or '{':
                _open.Push(spelling[0] switch { '(' => ')', '[' => ']', _ => '}' });
                break;
            case ')' or ']' or '}' when _open.Count == 0:
                throw new TemplateException(TemplateFault.Syntax, $"unexpected '{spelling}'", line);
            case ')' or ']' or '}' when _open.Pop() is var expected && expected != spelling[0]:
                throw new TemplateException(TemplateFault.Syntax, $"unexpected '{spelling}', expected '{expected}'", line);
        }

        return (TokenKind.Operator, spelling.Length, spelling);
    }
}
