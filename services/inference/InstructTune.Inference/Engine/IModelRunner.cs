namespace InstructTune.Inference.Engine;

/// <summary>Computes steps. Called by the engine's thread only.</summary>
internal interface IModelRunner
{
    void Start();

    /// <summary>Makes the edits of the plan, once and before its chunks are computed.</summary>
    void Prepare(StepPlan plan);

    /// <summary>One output per chunk of the plan, in its order. A repeated call for the same positions gives the same outputs.</summary>
    IReadOnlyList<ChunkOutput> Run(StepPlan plan);

    /// <summary>Frees everything.</summary>
    void Stop();
}
