using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>What stands behind an expression: members, items, calls, filters and tests.</summary>
internal sealed class PostfixParser(TokenStream tokens, ExpressionParser expressions)
{
    /// <summary>Members, items and calls behind an expression.</summary>
    public Expression Of(Expression expression)
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

    /// <summary>Filters, tests and calls of what they give.</summary>
    public Expression FiltersAndTests(Expression expression)
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
            arguments = new([Of(tokens.Nested(expressions.Primary))], [], null, null);
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
        var start = tokens.Current.IsOperator(":") ? null : expressions.Parse();
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
        tokens.Current.IsOperator(":") || tokens.Current.IsOperator("]") || tokens.Current.IsOperator(",") ? null : expressions.Parse();

    private ArgumentList Arguments() => new ArgumentParser(tokens, expressions).Parse();
}
