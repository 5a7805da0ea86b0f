using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>Everything the report says.</summary>
internal sealed record DemoResult(
    string DataDescription,
    ModelVersion Base,
    DemoPlan Plan,
    ulong Seed,
    IReadOnlyList<DemoArm> Arms,
    CompareEvaluationRunsResponse Comparison,
    TimeSpan Duration);
