namespace InstructTune.Modeling.Templates;

/// <summary>Expressions, from the operators that bind least to those that bind most.</summary>
internal sealed class ExpressionParser
{
    private static readonly string[] s_comparisons = ["==", "!=", "<", "<=", ">", ">="];

    private readonly TokenStream _tokens;
    private readonly PostfixParser _postfix;

    public ExpressionParser(TokenStream stream)
    {
        _tokens = stream;
        _postfix = new PostfixParser(stream, this);
    }

    public Expression Parse(bool withCondition = true) => _tokens.Nested(() => withCondition ? Conditional() : Or());

    /// <summary>An expression, or several with commas between them.</summary>
    public Expression ParseTuple(bool withCondition = true, bool inParentheses = false, string? endName = null, bool targetsOnly = false)
    {
        var line = _tokens.Current.Line;
        var items = new List<Expression>();
        var isTuple = false;
        while (true)
        {
            if (items.Count > 0)
            {
                _tokens.ExpectOperator(",");
            }

            if (TupleEnds(endName))
            {
                break;
            }

            items.Add(targetsOnly ? Primary() : Parse(withCondition));
            if (!_tokens.Current.IsOperator(","))
            {
                break;
            }

            isTuple = true;
        }

        if (!isTuple && items.Count > 0)
        {
            return items[0];
        }

        return isTuple || inParentheses
            ? _tokens.Grown(new TupleDisplay(line, items))
            : throw _tokens.Fault($"Expected an expression, got '{_tokens.Current.Description}'");
    }

    public Expression Primary()
    {
        var token = _tokens.Next();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return Named(token);
            case TokenKind.Text:
                return new Constant(token.Line, token.Value + string.Concat(FollowingTexts()));
            case TokenKind.Integer:
                return new Constant(token.Line, NumberLiteral.Integer(token.Value, token.Line));
            case TokenKind.Float:
                return new Constant(token.Line, NumberLiteral.Float(token.Value));
            case TokenKind.Operator when token.Value == "(":
                var inner = _tokens.Nested(() => ParseTuple(inParentheses: true));
                _tokens.ExpectOperator(")");
                return inner;
            case TokenKind.Operator when token.Value == "[":
                return ListOf(token.Line);
            case TokenKind.Operator when token.Value == "{":
                return DictOf(token.Line);
            default:
                throw new TemplateException(TemplateFault.Syntax, $"unexpected '{token.Description}'", token.Line);
        }
    }

    /// <summary>One filter after another, from the name of the first; the input may be a block.</summary>
    public Expression Filters(Expression? input) => _postfix.Filters(input);

    private static Expression Named(TemplateToken token) => token.Value switch
    {
        "true" or "True" => new Constant(token.Line, Value: true),
        "false" or "False" => new Constant(token.Line, Value: false),
        "none" or "None" => new Constant(token.Line, null),
        _ => new Variable(token.Line, token.Value),
    };

    private bool TupleEnds(string? endName) =>
        _tokens.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd
        || _tokens.Current.IsOperator(")")
        || (endName is not null && _tokens.Current.IsName(endName));

    private Expression Conditional()
    {
        var then = Or();
        while (_tokens.Current.IsName("if"))
        {
            var line = _tokens.Next().Line;
            var test = Or();
            var otherwise = _tokens.SkipName("else") ? _tokens.Nested(Conditional) : null;
            then = _tokens.Grown(new Conditional(line, test, then, otherwise));
        }

        return then;
    }

    private Expression Or() => LeftToRight(And, token => token.IsName("or"));

    private Expression And() => LeftToRight(Not, token => token.IsName("and"));

    private Expression Not()
    {
        if (!_tokens.Current.IsName("not"))
        {
            return Compare();
        }

        var line = _tokens.Next().Line;
        return _tokens.Grown(new Unary(line, "not", _tokens.Nested(Not)));
    }

    private Expression Compare()
    {
        var line = _tokens.Current.Line;
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (_tokens.Current.Kind == TokenKind.Operator && s_comparisons.Contains(_tokens.Current.Value))
            {
                rest.Add((_tokens.Next().Value, Sum()));
            }
            else if (_tokens.SkipName("in"))
            {
                rest.Add(("in", Sum()));
            }
            else if (_tokens.Current.IsName("not") && _tokens.Ahead.IsName("in"))
            {
                _tokens.Next();
                _tokens.Next();
                rest.Add(("not in", Sum()));
            }
            else
            {
                return rest.Count == 0 ? first : _tokens.Grown(new Comparison(line, first, rest));
            }
        }
    }

    private Expression Sum() => LeftToRight(Joined, token => token.IsOperator("+") || token.IsOperator("-"));

    private Expression Joined()
    {
        var line = _tokens.Current.Line;
        List<Expression> items = [Product()];
        while (_tokens.SkipOperator("~"))
        {
            items.Add(Product());
        }

        return items.Count == 1 ? items[0] : _tokens.Grown(new Concat(line, items));
    }

    private Expression Product() => LeftToRight(Power, token => token.Kind == TokenKind.Operator && token.Value is "*" or "/" or "//" or "%");

    private Expression Power() => LeftToRight(() => Signed(withFilters: true), token => token.IsOperator("**"));

    private Expression Signed(bool withFilters)
    {
        Expression expression;
        if (_tokens.Current.IsOperator("-") || _tokens.Current.IsOperator("+"))
        {
            var sign = _tokens.Next();
            expression = _tokens.Grown(new Unary(sign.Line, sign.Value, _tokens.Nested(() => Signed(withFilters: false))));
        }
        else
        {
            expression = Primary();
        }

        expression = _postfix.Of(expression);
        return withFilters ? _postfix.FiltersAndTests(expression) : expression;
    }

    private Expression ListOf(int line)
    {
        var items = new List<Expression>();
        while (!_tokens.Current.IsOperator("]"))
        {
            if (items.Count > 0)
            {
                _tokens.ExpectOperator(",");
                if (_tokens.Current.IsOperator("]"))
                {
                    break;
                }
            }

            items.Add(Parse());
        }

        _tokens.ExpectOperator("]");
        return _tokens.Grown(new ListDisplay(line, items));
    }

    private Expression DictOf(int line)
    {
        var pairs = new List<(Expression, Expression)>();
        while (!_tokens.Current.IsOperator("}"))
        {
            if (pairs.Count > 0)
            {
                _tokens.ExpectOperator(",");
                if (_tokens.Current.IsOperator("}"))
                {
                    break;
                }
            }

            var key = Parse();
            _tokens.ExpectOperator(":");
            pairs.Add((key, Parse()));
        }

        _tokens.ExpectOperator("}");
        return _tokens.Grown(new DictDisplay(line, pairs));
    }

    private Expression LeftToRight(Func<Expression> operand, Func<TemplateToken, bool> isOperator)
    {
        var left = operand();
        while (isOperator(_tokens.Current))
        {
            var token = _tokens.Next();
            left = _tokens.Grown(new Binary(token.Line, token.Value, left, operand()));
        }

        return left;
    }

    private IEnumerable<string> FollowingTexts()
    {
        while (_tokens.Current.Kind == TokenKind.Text)
        {
            yield return _tokens.Next().Value;
        }
    }
}
