namespace InstructTune.Modeling.Templates;

/// <summary>Statements and the text between them. What the language here does not have is refused by name, with its line.</summary>
internal sealed class StatementParser
{
    private static readonly string[] _refused = ["block", "extends", "include", "import", "from", "autoescape", "do", "trans", "debug"];

    private readonly TokenStream _tokens;
    private readonly ExpressionParser _expressions;

    // Python functions bound the loops that `break` and `continue` can see.
    private int _loops;

    private StatementParser(TokenStream tokens)
    {
        _tokens = tokens;
        _expressions = new(tokens);
    }

    public static IReadOnlyList<Statement> Parse(string source, TemplateLimits limits)
    {
        if (source.Length > limits.SourceCharacters)
        {
            throw TemplateException.Limit($"the template has more than {limits.SourceCharacters} characters");
        }

        var parser = new StatementParser(new TokenStream(TemplateLexer.Tokenize(source), limits));
        var statements = parser.Until([], "");
        NameCheck.Check(statements);
        return statements;
    }

    // Stops before the name of an end tag; the caller takes it.
    private List<Statement> Until(string[] ends, string opened)
    {
        var statements = new List<Statement>();
        while (true)
        {
            var token = _tokens.Next();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    statements.Add(new Data(token.Line, token.Value));
                    break;
                case TokenKind.VariableBegin:
                    statements.Add(new Output(token.Line, _expressions.ParseTuple()));
                    _tokens.Expect(TokenKind.VariableEnd);
                    break;
                case TokenKind.BlockBegin when _tokens.Current.Kind == TokenKind.Name && ends.Contains(_tokens.Current.Value):
                    return statements;
                case TokenKind.BlockBegin:
                    statements.AddRange(_tokens.Nested(() => One(ends, opened)));
                    _tokens.Expect(TokenKind.BlockEnd);
                    break;
                default:
                    return ends.Length == 0 ? statements : throw new TemplateException(
                        TemplateFault.Syntax, $"Unexpected end of template. {LookedFor(ends, opened)}", token.Line);
            }
        }
    }

    private IReadOnlyList<Statement> Body(string opened, params string[] ends)
    {
        _tokens.SkipOperator(":");
        _tokens.Expect(TokenKind.BlockEnd);
        return Until(ends, opened);
    }

    private IReadOnlyList<Statement> ClosedBody(string opened)
    {
        var body = Body(opened, "end" + opened);
        _tokens.Next();
        return body;
    }

    private IEnumerable<Statement> One(string[] ends, string opened)
    {
        var tag = _tokens.ExpectName();
        return tag.Value switch
        {
            "if" => [IfOf(tag.Line)],
            "for" => [ForOf(tag.Line)],
            "set" => [SetOf(tag.Line)],
            "macro" => [MacroOf(tag.Line)],
            "call" => [CallOf(tag.Line)],
            "filter" => [new FilterBlock(tag.Line, _expressions.Filters(null), ClosedBody("filter"))],
            "with" => [WithOf(tag.Line)],
            "generation" => [new Generation(tag.Line, InFunction(() => ClosedBody("generation")))],
            "print" => [new Output(tag.Line, _expressions.ParseTuple())],
            "break" => [_loops > 0 ? new Break(tag.Line) : throw OutsideLoop(tag)],
            "continue" => [_loops > 0 ? new Continue(tag.Line) : throw OutsideLoop(tag)],
            _ => throw Unknown(tag, ends, opened),
        };
    }

    private If IfOf(int line)
    {
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        while (true)
        {
            branches.Add((_expressions.ParseTuple(withCondition: false), Body("if", "elif", "else", "endif")));
            switch (_tokens.Next().Value)
            {
                case "elif":
                    continue;
                case "else":
                    return new If(line, branches, ClosedBody("if"));
                default:
                    return new If(line, branches, []);
            }
        }
    }

    private For ForOf(int line)
    {
        var target = Target(endName: "in");
        _tokens.ExpectName("in");
        var items = _expressions.ParseTuple(withCondition: false, endName: "recursive");
        var test = _tokens.SkipName("if") ? _expressions.Parse() : null;
        var recursive = _tokens.SkipName("recursive");
        _loops++;
        var body = Body("for", "else", "endfor");
        _loops--;
        var otherwise = _tokens.Next().Value == "else" ? ClosedBody("for") : [];
        return new For(line, target, items, test, recursive)
        {
            Body = body,
            Else = otherwise,
            UsesLoop = recursive || References.In(body, "loop"),
        };
    }

    private Statement SetOf(int line)
    {
        var target = Target(withNamespace: true);
        if (_tokens.SkipOperator("="))
        {
            return new Assign(line, target, _expressions.ParseTuple());
        }

        var filter = _tokens.SkipOperator("|") ? _expressions.Filters(null) : null;
        return new AssignBlock(line, target, filter, ClosedBody("set"));
    }

    private Macro MacroOf(int line)
    {
        var name = SingleName();
        var (parameters, defaults) = Signature();
        return new Macro(line, name, new MacroBody(parameters, defaults, InFunction(() => ClosedBody("macro"))));
    }

    private CallBlock CallOf(int line)
    {
        var (parameters, defaults) = _tokens.Current.IsOperator("(") ? Signature() : ([], []);
        var call = _expressions.Parse() as Call ?? throw _tokens.Fault("expected call");
        return new CallBlock(line, call, new MacroBody(parameters, defaults, InFunction(() => ClosedBody("call"))));
    }

    private With WithOf(int line)
    {
        var bindings = new List<(Expression, Expression)>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (bindings.Count > 0)
            {
                _tokens.ExpectOperator(",");
            }

            var target = Target();
            _tokens.ExpectOperator("=");
            bindings.Add((target, _expressions.Parse()));
        }

        return new With(line, bindings, ClosedBody("with"));
    }

    private (IReadOnlyList<string> Parameters, IReadOnlyList<Expression> Defaults) Signature()
    {
        var parameters = new List<string>();
        var defaults = new List<Expression>();
        _tokens.ExpectOperator("(");
        while (!_tokens.Current.IsOperator(")"))
        {
            if (parameters.Count > 0)
            {
                _tokens.ExpectOperator(",");
            }

            parameters.Add(SingleName());
            if (_tokens.SkipOperator("="))
            {
                defaults.Add(_expressions.Parse());
            }
            else if (defaults.Count > 0)
            {
                throw _tokens.Fault("non-default argument follows default argument");
            }
        }

        _tokens.ExpectOperator(")");
        return (parameters, defaults);
    }

    private Expression Target(string? endName = null, bool withNamespace = false)
    {
        if (withNamespace && _tokens.Current.Kind == TokenKind.Name && _tokens.Ahead.IsOperator("."))
        {
            var name = _tokens.Next();
            _tokens.Next();
            return new NamespaceField(name.Line, name.Value, _tokens.ExpectName().Value);
        }

        var target = _expressions.ParseTuple(withCondition: false, endName: endName, targetsOnly: true);
        return IsTarget(target) ? target : throw _tokens.Fault($"can't assign to '{(target is Constant ? "const" : "expression")}'");
    }

    private string SingleName()
    {
        var name = _tokens.ExpectName();
        return name.Value is "true" or "false" or "none" or "True" or "False" or "None" ? throw _tokens.Fault("can't assign to 'const'") : name.Value;
    }

    private static bool IsTarget(Expression expression) =>
        expression is Variable || (expression is TupleDisplay tuple && tuple.Items.All(IsTarget));

    private IReadOnlyList<Statement> InFunction(Func<IReadOnlyList<Statement>> body)
    {
        var outside = _loops;
        _loops = 0;
        var statements = body();
        _loops = outside;
        return statements;
    }

    private static TemplateException OutsideLoop(TemplateToken tag) =>
        new(TemplateFault.Syntax, tag.Value == "break" ? "'break' outside loop" : "'continue' not properly in loop", tag.Line);

    private static TemplateException Unknown(TemplateToken tag, string[] ends, string opened)
    {
        var wanted = ends.Length == 0 ? "" : " " + LookedFor(ends, opened);
        return tag.Value is "include" or "import" or "extends" or "from"
            ? new(TemplateFault.Type, $"the tag '{tag.Value}' is refused: a chat template has no other templates to load", tag.Line)
            : new(
                TemplateFault.Syntax,
                _refused.Contains(tag.Value) ? $"the tag '{tag.Value}' is not offered in chat templates" : $"Encountered unknown tag '{tag.Value}'.{wanted}",
                tag.Line);
    }

    private static string LookedFor(string[] ends, string opened) =>
        $"Jinja was looking for the following tags: {string.Join(" or ", ends.Select(end => $"'{end}'"))}. "
        + $"The innermost block that needs to be closed is '{opened}'.";
}
