using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>Expressions, from the operators that bind least to those that bind most.</summary>
internal sealed class ExpressionParser(TokenStream tokens)
{
    private readonly string[] _comparisons = ["==", "!=", "<", "<=", ">", ">="];

    public Expression Parse(bool withCondition = true) => tokens.Nested(() => withCondition ? Conditional() : Or());

    /// <summary>An expression, or several with commas between them.</summary>
    public Expression ParseTuple(bool withCondition = true, bool inParentheses = false, string? endName = null, bool targetsOnly = false)
    {
        var line = tokens.Current.Line;
        var items = new List<Expression>();
        var isTuple = false;
        while (true)
        {
            if (items.Count > 0)
            {
                tokens.ExpectOperator(",");
            }

            if (TupleEnds(endName))
            {
                break;
            }

            items.Add(targetsOnly ? Primary() : Parse(withCondition));
            if (!tokens.Current.IsOperator(","))
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
            ? tokens.Grown(new TupleDisplay(line, items))
            : throw tokens.Fault($"Expected an expression, got '{tokens.Current.Description}'");
    }

    public Expression Primary()
    {
        var token = tokens.Next();
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
                var inner = tokens.Nested(() => ParseTuple(inParentheses: true));
                tokens.ExpectOperator(")");
                return inner;
            case TokenKind.Operator when token.Value == "[":
                return ListOf(token.Line);
            case TokenKind.Operator when token.Value == "{":
                return DictOf(token.Line);
            default:
                throw new TemplateException(TemplateFault.Syntax, $"unexpected '{token.Description}'", token.Line);
        }
    }

    public Expression Postfix(Expression expression)
    {
        while (true)
        {
            if (tokens.SkipOperator("."))
            {
                expression = tokens.Grown(Member(expression));
            }
            else if (tokens.Current.IsOperator("["))
            {
                expression = tokens.Grown(new Item(tokens.Next().Line, expression, Subscript()));
            }
            else if (tokens.Current.IsOperator("("))
            {
                expression = tokens.Grown(new Call(tokens.Current.Line, expression, Arguments()));
            }
            else
            {
                return expression;
            }
        }
    }

    /// <summary>One filter after another, from the name of the first; the input may be a block.</summary>
    public Expression Filters(Expression? input)
    {
        do
        {
            var line = tokens.Current.Line;
            var name = DottedName();
            input = tokens.Grown(new Filter(line, input, name, tokens.Current.IsOperator("(") ? Arguments() : ArgumentList.Empty));
        }
        while (tokens.SkipOperator("|"));
        return input;
    }

    private static Expression Named(TemplateToken token) => token.Value switch
    {
        "true" or "True" => new Constant(token.Line, Value: true),
        "false" or "False" => new Constant(token.Line, Value: false),
        "none" or "None" => new Constant(token.Line, null),
        _ => new Variable(token.Line, token.Value),
    };

    private bool TupleEnds(string? endName) =>
        tokens.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd
        || tokens.Current.IsOperator(")")
        || (endName is not null && tokens.Current.IsName(endName));

    private Expression Conditional()
    {
        var then = Or();
        while (tokens.Current.IsName("if"))
        {
            var line = tokens.Next().Line;
            var test = Or();
            var otherwise = tokens.SkipName("else") ? tokens.Nested(Conditional) : null;
            then = tokens.Grown(new Conditional(line, test, then, otherwise));
        }

        return then;
    }

    private Expression Or() => LeftToRight(And, token => token.IsName("or"));

    private Expression And() => LeftToRight(Not, token => token.IsName("and"));

    private Expression Not()
    {
        if (!tokens.Current.IsName("not"))
        {
            return Compare();
        }

        var line = tokens.Next().Line;
        return tokens.Grown(new Unary(line, "not", tokens.Nested(Not)));
    }

    private Expression Compare()
    {
        var line = tokens.Current.Line;
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current.Kind == TokenKind.Operator && _comparisons.Contains(tokens.Current.Value))
            {
                rest.Add((tokens.Next().Value, Sum()));
            }
            else if (tokens.SkipName("in"))
            {
                rest.Add(("in", Sum()));
            }
            else if (tokens.Current.IsName("not") && tokens.Ahead.IsName("in"))
            {
                tokens.Next();
                tokens.Next();
                rest.Add(("not in", Sum()));
            }
            else
            {
                return rest.Count == 0 ? first : tokens.Grown(new Comparison(line, first, rest));
            }
        }
    }

    private Expression Sum() => LeftToRight(Joined, token => token.IsOperator("+") || token.IsOperator("-"));

    private Expression Joined()
    {
        var line = tokens.Current.Line;
        List<Expression> items = [Product()];
        while (tokens.SkipOperator("~"))
        {
            items.Add(Product());
        }

        return items.Count == 1 ? items[0] : tokens.Grown(new Concat(line, items));
    }

    private Expression Product() => LeftToRight(Power, token => token.Kind == TokenKind.Operator && token.Value is "*" or "/" or "//" or "%");

    private Expression Power() => LeftToRight(() => Signed(withFilters: true), token => token.IsOperator("**"));

    private Expression Signed(bool withFilters)
    {
        Expression expression;
        if (tokens.Current.IsOperator("-") || tokens.Current.IsOperator("+"))
        {
            var sign = tokens.Next();
            expression = tokens.Grown(new Unary(sign.Line, sign.Value, tokens.Nested(() => Signed(withFilters: false))));
        }
        else
        {
            expression = Primary();
        }

        expression = Postfix(expression);
        return withFilters ? FiltersAndTests(expression) : expression;
    }

    private Expression FiltersAndTests(Expression expression)
    {
        while (true)
        {
            if (tokens.SkipOperator("|"))
            {
                expression = Filters(expression);
            }
            else if (tokens.SkipName("is"))
            {
                expression = TestOf(expression);
            }
            else if (tokens.Current.IsOperator("("))
            {
                expression = tokens.Grown(new Call(tokens.Current.Line, expression, Arguments()));
            }
            else
            {
                return expression;
            }
        }
    }

    private Expression TestOf(Expression input)
    {
        var line = tokens.Current.Line;
        var negated = tokens.SkipName("not");
        var name = DottedName();
        var arguments = ArgumentList.Empty;
        if (tokens.Current.IsOperator("("))
        {
            arguments = Arguments();
        }
        else if (TestArgumentFollows())
        {
            arguments = new([Postfix(tokens.Nested(Primary))], [], null, null);
        }

        var test = tokens.Grown(new Test(line, input, name, arguments));
        return negated ? tokens.Grown(new Unary(line, "not", test)) : test;
    }

    private bool TestArgumentFollows()
    {
        var token = tokens.Current;
        if (token.IsName("is"))
        {
            throw tokens.Fault("You cannot chain multiple tests with is");
        }

        return token.Kind is TokenKind.Name or TokenKind.Text or TokenKind.Integer or TokenKind.Float
            ? !(token.IsName("else") || token.IsName("or") || token.IsName("and"))
            : token.IsOperator("[") || token.IsOperator("{");
    }

    private string DottedName()
    {
        var name = tokens.ExpectName().Value;
        while (tokens.SkipOperator("."))
        {
            name += "." + tokens.ExpectName().Value;
        }

        return name;
    }

    private Expression Member(Expression owner)
    {
        var token = tokens.Next();
        return token.Kind switch
        {
            TokenKind.Name => new Attribute(token.Line, owner, token.Value),
            TokenKind.Integer => new Item(token.Line, owner, new Constant(token.Line, (object)BigInteger.Parse(token.Value.Replace("_", "", StringComparison.Ordinal)))),
            _ => throw new TemplateException(TemplateFault.Syntax, "expected name or number", token.Line),
        };
    }

    private Expression Subscript()
    {
        var line = tokens.Current.Line;
        var keys = new List<Expression>();
        while (!tokens.Current.IsOperator("]"))
        {
            if (keys.Count > 0)
            {
                tokens.ExpectOperator(",");
            }

            keys.Add(SubscriptPart());
        }

        tokens.ExpectOperator("]");
        return keys.Count == 1 ? keys[0] : tokens.Grown(new TupleDisplay(line, keys));
    }

    private Expression SubscriptPart()
    {
        var line = tokens.Current.Line;
        var start = tokens.Current.IsOperator(":") ? null : Parse();
        if (start is not null && !tokens.Current.IsOperator(":"))
        {
            return start;
        }

        tokens.ExpectOperator(":");
        var stop = SlicePart();
        var step = tokens.SkipOperator(":") ? SlicePart() : null;
        return tokens.Grown(new Slice(line, start, stop, step));
    }

    private Expression? SlicePart() =>
        tokens.Current.IsOperator(":") || tokens.Current.IsOperator("]") || tokens.Current.IsOperator(",") ? null : Parse();

    private Expression ListOf(int line)
    {
        var items = new List<Expression>();
        while (!tokens.Current.IsOperator("]"))
        {
            if (items.Count > 0)
            {
                tokens.ExpectOperator(",");
                if (tokens.Current.IsOperator("]"))
                {
                    break;
                }
            }

            items.Add(Parse());
        }

        tokens.ExpectOperator("]");
        return tokens.Grown(new ListDisplay(line, items));
    }

    private Expression DictOf(int line)
    {
        var pairs = new List<(Expression, Expression)>();
        while (!tokens.Current.IsOperator("}"))
        {
            if (pairs.Count > 0)
            {
                tokens.ExpectOperator(",");
                if (tokens.Current.IsOperator("}"))
                {
                    break;
                }
            }

            var key = Parse();
            tokens.ExpectOperator(":");
            pairs.Add((key, Parse()));
        }

        tokens.ExpectOperator("}");
        return tokens.Grown(new DictDisplay(line, pairs));
    }

    private ArgumentList Arguments() => new ArgumentParser(tokens, this).Parse();

    private Expression LeftToRight(Func<Expression> operand, Func<TemplateToken, bool> isOperator)
    {
        var left = operand();
        while (isOperator(tokens.Current))
        {
            var token = tokens.Next();
            left = tokens.Grown(new Binary(token.Line, token.Value, left, operand()));
        }

        return left;
    }

    private IEnumerable<string> FollowingTexts()
    {
        while (tokens.Current.Kind == TokenKind.Text)
        {
            yield return tokens.Next().Value;
        }
    }
}
