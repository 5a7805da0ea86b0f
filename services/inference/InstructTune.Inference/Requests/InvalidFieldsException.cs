namespace InstructTune.Inference.Requests;

/// <summary>Fields that are wrong for the model at hand, all of them.</summary>
internal sealed class InvalidFieldsException(IReadOnlyList<FieldProblem> problems) : Exception
{
    public IReadOnlyList<FieldProblem> Problems { get; } = problems;
}

/// <summary>A field, and what it must be.</summary>
internal sealed record FieldProblem(string Field, string Problem);
