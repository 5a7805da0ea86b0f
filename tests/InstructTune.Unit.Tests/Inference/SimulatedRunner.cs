using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>Computes nothing, and fails where a sequence says so.</summary>
internal sealed class SimulatedRunner : IModelRunner
{
    public List<StepPlan> Plans { get; } = [];

    /// <summary>Of all plans, in the order in which they were made.</summary>
    public List<CacheEdit> Edits { get; } = [];

    public int? ThreadId { get; private set; }

    public bool IsStopped { get; private set; }

    public void Start() => ThreadId = Environment.CurrentManagedThreadId;

    /// <summary>What goes wrong in the engine itself, and not in a sequence.</summary>
    public bool IsBroken { get; set; }

    public void Prepare(StepPlan plan)
    {
        if (IsBroken)
        {
            throw new InvalidOperationException("simulated");
        }
        Edits.AddRange(plan.Edits);
    }

    public IReadOnlyList<ChunkOutput> Run(StepPlan plan)
    {
        Assert.Equal(ThreadId, Environment.CurrentManagedThreadId);
        Plans.Add(plan);
        if (plan.Chunks.Any(chunk => ((SimulatedSequence)chunk.Sequence).FailsAt == chunk.To))
        {
            throw new InvalidOperationException("simulated");
        }
        return [.. plan.Chunks.Select(_ => ChunkOutput.Nothing)];
    }

    public void Stop() => IsStopped = true;
}
