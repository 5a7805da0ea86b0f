using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>One way to get a model, and how it was marked.</summary>
internal sealed record DemoArm(string Title, string Colour, string ModelVersion)
{
    public const string BaseTitle = "untrained base";
    public const string SpecialistTitle = "specialist only";
    public const string TwoStageTitle = "generalist, then specialist";

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
