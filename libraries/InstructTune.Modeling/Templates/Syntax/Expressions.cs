namespace InstructTune.Modeling.Templates;

/// <summary>An expression. <see cref="Depth"/> bounds the recursion of whoever walks it.</summary>
internal abstract record Expression(int Line)
{
    public int Depth { get; set; } = 1;

    public abstract IEnumerable<Expression> Parts { get; }
}

internal sealed record Constant(int Line, object? Value) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => [];
}

internal sealed record Variable(int Line, string Name) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => [];
}

/// <summary>Only as a target of `set`.</summary>
internal sealed record NamespaceField(int Line, string Name, string Field) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => [];
}

internal sealed record TupleDisplay(int Line, IReadOnlyList<Expression> Items) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => Items;
}

internal sealed record ListDisplay(int Line, IReadOnlyList<Expression> Items) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => Items;
}

internal sealed record DictDisplay(int Line, IReadOnlyList<(Expression Key, Expression Value)> Pairs) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => Pairs.SelectMany(pair => new[] { pair.Key, pair.Value });
}

internal sealed record Unary(int Line, string Operator, Expression Operand) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => [Operand];
}

/// <summary>Arithmetic, `and`, `or`.</summary>
internal sealed record Binary(int Line, string Operator, Expression Left, Expression Right) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => [Left, Right];
}

internal sealed record Concat(int Line, IReadOnlyList<Expression> Items) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => Items;
}

/// <summary>A chain: `a &lt; b &lt; c` compares neighbours.</summary>
internal sealed record Comparison(int Line, Expression First, IReadOnlyList<(string Operator, Expression Right)> Rest) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => Rest.Select(step => step.Right).Prepend(First);
}

internal sealed record Conditional(int Line, Expression Test, Expression Then, Expression? Else) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => Else is null ? [Test, Then] : [Test, Then, Else];
}

internal sealed record Attribute(int Line, Expression Owner, string Name) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => [Owner];
}

internal sealed record Item(int Line, Expression Owner, Expression Key) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => [Owner, Key];
}

internal sealed record Slice(int Line, Expression? Start, Expression? Stop, Expression? Step) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => new[] { Start, Stop, Step }.OfType<Expression>();
}

/// <summary>What stands between the parentheses of a call.</summary>
internal sealed record ArgumentList(
    IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, Expression? Spread, Expression? SpreadNamed)
{
    public static ArgumentList Empty { get; } = new([], [], null, null);

    public IEnumerable<Expression> Parts =>
        Positional.Concat(Named.Select(argument => argument.Value)).Concat(new[] { Spread, SpreadNamed }.OfType<Expression>());
}

internal sealed record Call(int Line, Expression Function, ArgumentList Arguments) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => Arguments.Parts.Prepend(Function);
}

/// <summary>A filter; the input of the first filter of a block is null.</summary>
internal sealed record Filter(int Line, Expression? Input, string Name, ArgumentList Arguments) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => Input is null ? Arguments.Parts : Arguments.Parts.Prepend(Input);
}

internal sealed record Test(int Line, Expression Input, string Name, ArgumentList Arguments) : Expression(Line)
{
    public override IEnumerable<Expression> Parts => Arguments.Parts.Prepend(Input);
}
