namespace InstructTune.Modeling.Templates;

/// <summary>Tokens, one ahead; counts the levels that the parser is in.</summary>
internal sealed class TokenStream(IReadOnlyList<TemplateToken> tokens, TemplateLimits limits)
{
    private int _at;
    private int _level;

    public TemplateToken Current => tokens[_at];

    public TemplateToken Ahead => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public TemplateToken Next()
    {
        var token = tokens[_at];
        _at = Math.Min(_at + 1, tokens.Count - 1);
        return token;
    }

    public bool SkipOperator(string spelling) => Current.IsOperator(spelling) && Skip();

    public bool SkipName(string name) => Current.IsName(name) && Skip();

    public TemplateToken ExpectOperator(string spelling) => Current.IsOperator(spelling) ? Next() : throw Unexpected(spelling);

    public TemplateToken ExpectName(string? name = null) =>
        Current.Kind == TokenKind.Name && (name is null || Current.Value == name) ? Next() : throw Unexpected(name ?? "name");

    public void Expect(TokenKind kind)
    {
        if (Current.Kind != kind)
        {
            throw Unexpected(new TemplateToken(kind, "", 0).Description);
        }

        Next();
    }

    /// <summary>Around everything that may contain itself.</summary>
    public T Nested<T>(Func<T> parse)
    {
        if (++_level > limits.Nesting)
        {
            throw TooDeep(Current.Line);
        }

        var result = parse();
        _level--;
        return result;
    }

    /// <summary>Bounds chains such as `a + b + c`, whose tree is deep although the text is flat.</summary>
    public T Grown<T>(T expression)
        where T : Expression
    {
        expression.Depth = 1 + expression.Parts.Select(part => part.Depth).DefaultIfEmpty(0).Max();
        return expression.Depth <= limits.Nesting ? expression : throw TooDeep(expression.Line);
    }

    public TemplateException Fault(string problem) => new(TemplateFault.Syntax, problem, Current.Line);

    private bool Skip()
    {
        Next();
        return true;
    }

    private TemplateException Unexpected(string expected) => Current.Kind == TokenKind.End
        ? Fault($"unexpected end of template, expected '{expected}'.")
        : Fault($"expected token '{expected}', got '{Current.Description}'");

    private TemplateException TooDeep(int line) =>
        new(TemplateFault.Limit, $"the template nests blocks or expressions deeper than {limits.Nesting} levels", line);
}
