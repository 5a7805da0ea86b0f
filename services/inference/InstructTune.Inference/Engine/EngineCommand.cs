namespace InstructTune.Inference.Engine;

/// <summary>What other threads ask of the engine's.</summary>
internal abstract record EngineCommand
{
    /// <summary>New work.</summary>
    public sealed record Submit(IReadOnlyList<Sequence> Sequences) : EngineCommand;

    /// <summary>An action between two steps, such as taking over a model.</summary>
    public sealed record Invoke(Action Action, TaskCompletionSource Done) : EngineCommand;
}
