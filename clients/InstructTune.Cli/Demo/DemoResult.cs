using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>Everything the report says. <c>Comparison</c> has the specialist alone as its baseline, <c>AgainstBase</c> the untrained base.</summary>
internal sealed record DemoResult(
    string DataDescription,
    ModelVersion Base,
    DemoPlan Plan,
    ulong Seed,
    IReadOnlyList<DemoArm> Arms,
    CompareEvaluationRunsResponse Comparison,
    CompareEvaluationRunsResponse AgainstBase,
    TimeSpan Duration);
