using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>One model, the way it was made, and how it was marked. A way to train is tried once for each seed.</summary>
internal sealed record DemoArm(string Way, string Colour, string ModelVersion)
{
    public const string BaseTitle = "untrained base";
    public const string SpecialistTitle = "specialist only";
    public const string TwoStageTitle = "generalist, then specialist";

    /// <summary>Counted from 0; the base, which no seed of ours made, has the first.</summary>
    public int SeedIndex { get; init; }

    public bool IsFirstSeed => SeedIndex == 0;

    public string Title => IsFirstSeed ? Way : $"{Way}, seed {SeedIndex + 1}";

    /// <summary>Absent for the untrained base.</summary>
    public FineTuneJob? Job { get; init; }

    /// <summary>By step of the job.</summary>
    public IReadOnlyList<LossReport> Losses { get; init; } = [];

    public EvaluationRun? Run { get; init; }

    public IReadOnlyList<EvaluationResult> Answers { get; init; } = [];

    /// <summary>What it answered to the streamed question.</summary>
    public string Sample { get; init; } = "";
}

/// <summary>The training loss of one step.</summary>
internal sealed record LossReport(string StageId, long Step, double Loss);
