using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;

namespace InstructTune.Modeling.Driver;

/// <summary>What a micro-batch trains, and how memory is traded for time.</summary>
public sealed record BackwardSettings
{
    /// <summary>The adapter to run with.</summary>
    public LoraAdapter? Adapter { get; init; }

    /// <summary>Stream of the adapter's dropout; without it nothing is dropped.</summary>
    public StepSeed? Dropout { get; init; }

    /// <summary>What is added to the embeddings; null for nothing.</summary>
    public EmbeddingNoise? Noise { get; init; }

    /// <summary>Whether layers are computed again on the way back instead of kept. The results are the same bits.</summary>
    public bool RecomputesLayers { get; init; }

    /// <summary>Told of each phase as it begins.</summary>
    public Action<StepPhase>? Entered { get; init; }

    /// <summary>Told of each kind of work as it begins.</summary>
    public Action<DriverWork>? Working { get; init; }
}
