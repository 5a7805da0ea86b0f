namespace InstructTune.Integration.Tests.Inference.Load;

/// <summary>Tests that count what the whole process holds, or use all of the machine: nothing runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
