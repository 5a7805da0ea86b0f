namespace InstructTune.Modeling.Templates;

/// <summary>A template into tokens, with jinja2's rules for white space: `trim_blocks` and `lstrip_blocks` on, the last newline dropped.</summary>
internal sealed class TemplateLexer
{
    private readonly string _source;
    private readonly List<TemplateToken> _tokens = [];
    private int _at;
    private int _line = 1;
    private bool _lineStarts = true;

    private TemplateLexer(string source) => _source = source;

    public static IReadOnlyList<TemplateToken> Tokenize(string source)
    {
        var normalized = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new TemplateLexer(normalized.EndsWith('\n') ? normalized[..^1] : normalized);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        while (NextTag() is { } tag)
        {
            Data(tag);
            switch (_source[tag + 1])
            {
                case '#':
                    SkipComment();
                    break;
                case '{':
                    Add(TokenKind.VariableBegin, "{{");
                    Advance(SignedLength(tag));
                    Expression(TokenKind.VariableEnd, "}}");
                    break;
                default:
                    Statement(tag);
                    break;
            }
        }

        if (_at < _source.Length)
        {
            Add(TokenKind.Data, _source[_at..]);
            Advance(_source.Length - _at);
        }

        Add(TokenKind.End, "");
    }

    private int? NextTag()
    {
        for (var at = _at; ;)
        {
            at = _source.IndexOf('{', at);
            if (at < 0 || at + 1 >= _source.Length)
            {
                return null;
            }

            if (_source[at + 1] is '{' or '%' or '#')
            {
                return at;
            }

            at++;
        }
    }

    // The text before a tag, without the white space that the tag takes away.
    private void Data(int tag)
    {
        var text = Stripped(_source[_at..tag], Sign(tag), keepsSpace: _source[tag + 1] == '{');
        if (text.Length > 0)
        {
            Add(TokenKind.Data, text);
        }

        Advance(tag - _at);
    }

    private string Stripped(string text, char sign, bool keepsSpace)
    {
        if (sign == '-')
        {
            return WhiteSpace.TrimEnd(text);
        }

        if (sign == '+' || keepsSpace)
        {
            return text;
        }

        var lineStart = text.LastIndexOf('\n') + 1;
        return (lineStart > 0 || _lineStarts) && WhiteSpace.IsBlank(text.AsSpan(lineStart)) ? text[..lineStart] : text;
    }

    private char Sign(int tag) => tag + 2 < _source.Length && _source[tag + 2] is '-' or '+' ? _source[tag + 2] : ' ';

    private int SignedLength(int tag) => Sign(tag) == ' ' ? 2 : 3;

    private void SkipComment()
    {
        var start = _at + SignedLength(_at);
        var end = start <= _source.Length ? _source.IndexOf("#}", start, StringComparison.Ordinal) : -1;
        if (end < 0)
        {
            throw Fault("Missing end of comment tag");
        }

        Advance(end - _at);
        EndTag(end > start ? _source[end - 1] : ' ', "#}");
    }

    private void Statement(int tag)
    {
        var length = SignedLength(tag);
        if (KeywordTag(tag + length, "raw") is not { } body)
        {
            Add(TokenKind.BlockBegin, "{%");
            Advance(length);
            Expression(TokenKind.BlockEnd, "%}");
            return;
        }

        Advance(body.At - _at);
        EndTag(body.Sign, "%}", trimsNewline: false);
        Raw();
    }

    private void Raw()
    {
        for (var at = _at; (at = _source.IndexOf("{%", at, StringComparison.Ordinal)) >= 0; at++)
        {
            if (KeywordTag(at + SignedLength(at), "endraw") is not { } end)
            {
                continue;
            }

            var text = Stripped(_source[_at..at], Sign(at), keepsSpace: false);
            if (text.Length > 0)
            {
                Add(TokenKind.Data, text);
            }

            Advance(end.At - _at);
            EndTag(end.Sign, "%}");
            return;
        }

        throw Fault("Missing end of raw directive");
    }

    // `raw` and `endraw` stand alone in their tags. Where the tag ends, and the sign before it.
    private (int At, char Sign)? KeywordTag(int at, string keyword)
    {
        at = SkipSpace(at);
        if (string.CompareOrdinal(_source, at, keyword, 0, keyword.Length) != 0)
        {
            return null;
        }

        at = SkipSpace(at + keyword.Length);
        var sign = at < _source.Length && _source[at] is '-' or '+' ? _source[at] : ' ';
        at += sign == ' ' ? 0 : 1;
        return string.CompareOrdinal(_source, at, "%}", 0, 2) == 0 && (sign != '+' || keyword == "endraw") ? (at, sign) : null;
    }

    private void Expression(TokenKind end, string endMark)
    {
        var scanner = new ExpressionScanner(_source, endMark);
        while (true)
        {
            if (_at >= _source.Length)
            {
                throw Fault($"unexpected end of template, expected '{(end == TokenKind.BlockEnd ? "end of statement block" : "end of print statement")}'.");
            }

            var (kind, length, value) = scanner.Next(_at, _line);
            if (kind == end)
            {
                Add(end, endMark);
                Advance(length - 2);
                EndTag(length == 3 ? _source[_at - 1] : ' ', endMark, trimsNewline: end == TokenKind.BlockEnd);
                return;
            }

            if (kind is { } found)
            {
                Add(found, value);
            }

            Advance(length);
        }
    }

    // At the closing mark: a minus before it takes all white space that follows, else the first newline goes, but not after a plus.
    private void EndTag(char sign, string mark, bool trimsNewline = true)
    {
        var end = _at + mark.Length;
        if (sign == '-')
        {
            end = SkipSpace(end);
        }
        else if (sign != '+' && trimsNewline && end < _source.Length && _source[end] == '\n')
        {
            end++;
        }

        Advance(end - _at);
        _lineStarts = _source[_at - 1] == '\n';
    }

    private int SkipSpace(int at)
    {
        while (at < _source.Length && WhiteSpace.Is(_source[at]))
        {
            at++;
        }

        return at;
    }

    private void Add(TokenKind kind, string value) => _tokens.Add(new(kind, value, _line));

    private void Advance(int count)
    {
        _line += _source.AsSpan(_at, count).Count('\n');
        _at += count;
    }

    private TemplateException Fault(string problem) => new(TemplateFault.Syntax, problem, _line);
}
