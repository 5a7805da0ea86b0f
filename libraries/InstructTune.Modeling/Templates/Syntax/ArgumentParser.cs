namespace InstructTune.Modeling.Templates;

/// <summary>The arguments of a call, from the opening parenthesis to the closing one.</summary>
internal sealed class ArgumentParser(TokenStream tokens, ExpressionParser expressions)
{
    private readonly List<Expression> _positional = [];
    private readonly List<(string, Expression)> _named = [];
    private Expression? _spread;
    private Expression? _spreadNamed;

    public ArgumentList Parse()
    {
        tokens.ExpectOperator("(");
        for (var first = true; !tokens.Current.IsOperator(")"); first = false)
        {
            if (!first)
            {
                tokens.ExpectOperator(",");
                if (tokens.Current.IsOperator(")"))
                {
                    break;
                }
            }

            One();
        }

        tokens.ExpectOperator(")");
        return new(_positional, _named, _spread, _spreadNamed);
    }

    private void One()
    {
        if (tokens.SkipOperator("*"))
        {
            Ensure(_spread is null && _spreadNamed is null);
            _spread = expressions.Parse();
        }
        else if (tokens.SkipOperator("**"))
        {
            Ensure(_spreadNamed is null);
            _spreadNamed = expressions.Parse();
        }
        else if (tokens.Current.Kind == TokenKind.Name && tokens.Ahead.IsOperator("="))
        {
            Ensure(_spreadNamed is null);
            var name = tokens.Next().Value;
            tokens.Next();
            _named.Add((name, expressions.Parse()));
        }
        else
        {
            Ensure(_spread is null && _spreadNamed is null && _named.Count == 0);
            _positional.Add(expressions.Parse());
        }
    }

    private void Ensure(bool valid)
    {
        if (!valid)
        {
            throw tokens.Fault("invalid syntax for function call expression");
        }
    }
}
