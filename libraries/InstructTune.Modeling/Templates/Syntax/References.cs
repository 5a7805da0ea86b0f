namespace InstructTune.Modeling.Templates;

/// <summary>Whether a piece of a template reads a name.</summary>
internal static class References
{
    public static bool Any(IReadOnlyList<Statement> body, IEnumerable<Expression> expressions, string name) =>
        expressions.Any(e => In(e, name)) || In(body, name);

    public static bool In(IReadOnlyList<Statement> body, string name) =>
        body.Any(s => s.Expressions.Any(e => In(e, name)) || s.Bodies.Any(b => In(b, name)));

    private static bool In(Expression expression, string name) =>
        expression is Variable variable ? variable.Name == name : expression.Parts.Any(part => In(part, name));
}
