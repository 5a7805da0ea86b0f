namespace InstructTune.Modeling.Templates;

internal abstract record Statement(int Line)
{
    public virtual IEnumerable<Expression> Expressions => [];

    public virtual IEnumerable<IReadOnlyList<Statement>> Bodies => [];
}

internal sealed record Data(int Line, string Text) : Statement(Line);

internal sealed record Output(int Line, Expression Value) : Statement(Line)
{
    public override IEnumerable<Expression> Expressions => [Value];
}

internal sealed record If(int Line, IReadOnlyList<(Expression Test, IReadOnlyList<Statement> Body)> Branches, IReadOnlyList<Statement> Else) : Statement(Line)
{
    public override IEnumerable<Expression> Expressions => Branches.Select(branch => branch.Test);

    public override IEnumerable<IReadOnlyList<Statement>> Bodies => Branches.Select(branch => branch.Body).Append(Else);
}

internal sealed record For(int Line, Expression Target, Expression Items, Expression? Test, bool Recursive) : Statement(Line)
{
    public required IReadOnlyList<Statement> Body { get; init; }

    public required IReadOnlyList<Statement> Else { get; init; }

    /// <summary>Whether the body speaks of `loop`; else the items are taken one by one, and nothing is counted ahead.</summary>
    public required bool UsesLoop { get; init; }

    public override IEnumerable<Expression> Expressions => Test is null ? [Items] : [Items, Test];

    public override IEnumerable<IReadOnlyList<Statement>> Bodies => [Body, Else];
}

internal sealed record Assign(int Line, Expression Target, Expression Value) : Statement(Line)
{
    public override IEnumerable<Expression> Expressions => [Value];
}

internal sealed record AssignBlock(int Line, Expression Target, Expression? Filter, IReadOnlyList<Statement> Body) : Statement(Line)
{
    public override IEnumerable<Expression> Expressions => Filter is null ? [] : [Filter];

    public override IEnumerable<IReadOnlyList<Statement>> Bodies => [Body];
}

internal sealed record With(int Line, IReadOnlyList<(Expression Target, Expression Value)> Bindings, IReadOnlyList<Statement> Body) : Statement(Line)
{
    public override IEnumerable<Expression> Expressions => Bindings.Select(binding => binding.Value);

    public override IEnumerable<IReadOnlyList<Statement>> Bodies => [Body];
}

/// <summary>What a macro, or the body of a `call`, is made from.</summary>
internal sealed record MacroBody(IReadOnlyList<string> Parameters, IReadOnlyList<Expression> Defaults, IReadOnlyList<Statement> Body)
{
    public bool UsesCaller { get; } = References.Any(Body, Defaults, "caller");

    public bool UsesVarargs { get; } = References.Any(Body, Defaults, "varargs");

    public bool UsesKwargs { get; } = References.Any(Body, Defaults, "kwargs");
}

internal sealed record Macro(int Line, string Name, MacroBody Definition) : Statement(Line)
{
    public override IEnumerable<Expression> Expressions => Definition.Defaults;

    public override IEnumerable<IReadOnlyList<Statement>> Bodies => [Definition.Body];
}

internal sealed record CallBlock(int Line, Call Call, MacroBody Definition) : Statement(Line)
{
    public override IEnumerable<Expression> Expressions => Definition.Defaults.Prepend(Call);

    public override IEnumerable<IReadOnlyList<Statement>> Bodies => [Definition.Body];
}

internal sealed record FilterBlock(int Line, Expression Filter, IReadOnlyList<Statement> Body) : Statement(Line)
{
    public override IEnumerable<Expression> Expressions => [Filter];

    public override IEnumerable<IReadOnlyList<Statement>> Bodies => [Body];
}

/// <summary>Marks text that the model wrote.</summary>
internal sealed record Generation(int Line, IReadOnlyList<Statement> Body) : Statement(Line)
{
    public override IEnumerable<IReadOnlyList<Statement>> Bodies => [Body];
}

internal sealed record Break(int Line) : Statement(Line);

internal sealed record Continue(int Line) : Statement(Line);
