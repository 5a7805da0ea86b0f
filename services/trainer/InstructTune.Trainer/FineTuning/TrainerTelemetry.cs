using System.Diagnostics;
using System.Diagnostics.Metrics;
using InstructTune.Modeling.Training;

namespace InstructTune.Trainer.FineTuning;

/// <summary>What operators see of training: a span per stage and step below the attempt's, and the figures of the newest step.</summary>
internal static class TrainerTelemetry
{
    private const string Name = "InstructTune.Trainer";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);
    private static readonly Gauge<double> Loss = Meter.CreateGauge<double>("instructtune.training.loss", "nat/token", "Mean loss of the newest step.");
    private static readonly Gauge<double> GradientNorm = Meter.CreateGauge<double>("instructtune.training.gradient_norm", null, "Of the newest step, before clipping.");
    private static readonly Gauge<double> Speed = Meter.CreateGauge<double>(
        "instructtune.training.tokens_per_second", "{token}/s", "Tokens that are not padding, over the newest step.");

    private static readonly Histogram<double> StepDuration = Meter.CreateHistogram(
        "instructtune.training.step.duration", "s", "One optimizer step.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300] });

    private static readonly Histogram<double> CheckpointDuration = Meter.CreateHistogram(
        "instructtune.training.checkpoint.duration", "s", "Writing and publishing one checkpoint.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300] });

    public static Activity? StartStage(StageRun run) => Source.StartActivity("train.stage")?.SetTag("stage", run.Spec.StageId);

    public static Activity? StartStep(long step) => Source.StartActivity("train.step")?.SetTag("step", step + 1);

    public static void StepCompleted(StageRun run, StepResult result, TimeSpan elapsed)
    {
        var stage = new KeyValuePair<string, object?>("stage", run.Index + 1);
        Loss.Record(result.Loss, stage);
        GradientNorm.Record(result.GradientNorm, stage);
        Speed.Record(result.TokenCount / elapsed.TotalSeconds, stage);
        StepDuration.Record(elapsed.TotalSeconds, stage);
    }

    public static void CheckpointSaved(TimeSpan elapsed) => CheckpointDuration.Record(elapsed.TotalSeconds);
}
