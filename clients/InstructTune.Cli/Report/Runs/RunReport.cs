using System.Globalization;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Commands;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Cli.Report.Runs;

/// <summary>A fine-tune job as one page: curves, settings, data, events, lineage, scores, samples. Pure.</summary>
internal static class RunReport
{
    private const int MaxEvents = 200;

    public static string Render(RunFacts facts)
    {
        var page = new Page();
        var name = Names.Short(facts.Job.Name);
        page.Raw($"<h1>Fine-tune job {Page.E(name)}</h1>")
            .Raw($"<p class=\"sub\">{Page.E($"{string.Join(", then ", facts.Job.Spec.Stages.Select(stage => stage.StageId))}, from {Names.Short(facts.Job.Spec.BaseModel)}; written {facts.Now.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC")}</p>")
            .Facts(Summary(facts));
        if (facts.Job.Job.Error is { } error)
        {
            page.Paragraph($"{error.Reason}: {error.Message}");
        }

        Curves(page, facts);
        Scores(page, facts);
        Settings(page, facts);
        Lineage(page, facts);
        if (facts.Samples.Count > 0)
        {
            page.Heading("Samples").Paragraph("Examples that it was trained on, and what it answers to them now.")
                .Table("Samples", ["stage", "prompt", "wanted", "answer"], facts.Samples.Select(sample => (string[])[sample.Stage, sample.Prompt, sample.Wanted, sample.Answer]), keepsLines: true);
        }

        Events(page, facts);
        return page.ToHtml($"Fine-tune job {name}");
    }

    private static IEnumerable<(string Name, string Value)> Summary(RunFacts facts)
    {
        var job = facts.Job;
        yield return ("state", Formats.Lower(job.Job.State));
        yield return ("steps", $"{Formats.Count(job.Stages.Sum(stage => stage.CompletedSteps))} of {Formats.Count(job.Stages.Sum(stage => stage.PlannedSteps))}");
        yield return ("trained tokens", Formats.Count(job.Stages.Sum(stage => stage.TrainedTokens)));
        if (facts.Of("training_loss").Points is { Count: > 0 } losses)
        {
            yield return ("last loss", Formats.Loss(losses[^1].Value));
        }

        if (facts.Of("tokens_per_second").Points is { Count: > 0 } speeds)
        {
            yield return ("tokens/s, median", Formats.Count(speeds.Select(point => point.Value).Order().ElementAt(speeds.Count / 2)));
        }

        if (job.Job.StartTime is { } start)
        {
            yield return ("took", Formats.Duration((job.Job.EndTime?.ToDateTimeOffset() ?? facts.Now) - start.ToDateTimeOffset()));
        }

        yield return ("attempts", job.Job.Attempt.ToString(CultureInfo.InvariantCulture));
    }

    private static void Curves(Page page, RunFacts facts)
    {
        if (facts.Rows.Count == 0)
        {
            page.Heading("Curves").Paragraph("No step was reported yet.");
            return;
        }

        var planned = Math.Max(facts.Job.Stages.Sum(stage => stage.PlannedSteps), facts.Rows[^1].Step);
        string Chart(string title, string unit, IReadOnlyList<Series> series, bool fromZero = false) => new Curve(title, unit, facts.Borders).Render(series, planned, fromZero);
        page.Heading("Curves")
            .Raw(Chart("Loss", "nats per trained token", [facts.Of("training_loss"), .. facts.Validation(IsLoss)]))
            .Raw(Chart("Validation metrics", "from 0 to 1", facts.Validation(name => !IsLoss(name)), fromZero: true))
            .Raw(Chart("Learning rate", "", [facts.Of("learning_rate")], fromZero: true))
            .Raw(Chart("Gradient norm", "before clipping", [facts.Of("gradient_norm")], fromZero: true))
            .Raw(Chart("Speed", "tokens per second, padding left out", [facts.Of("tokens_per_second")], fromZero: true));
    }

    private static void Scores(Page page, RunFacts facts)
    {
        if (facts.Evaluations.Count == 0)
        {
            return;
        }

        page.Heading("Scores on held-out data").Table(
            "Scores", ["suite", "task", "metric", "score", "95% interval", "examples"],
            facts.Evaluations.SelectMany(run => run.Scores.Select(score => (string[])
                [run.Suite.Split('/')[^1], score.TaskId, score.Metric, Formats.Score(score.Value), Formats.Interval(score.Lower, score.Upper), Formats.Count(score.ExampleCount)])));
    }

    private static void Settings(Page page, RunFacts facts)
    {
        var (spec, stages) = (facts.Job.Spec, facts.Job.Stages);
        page.Heading("Stages and settings").Table(
            "Stages", ["", .. spec.Stages.Select(stage => stage.StageId)],
            new (string Name, Func<FineTuneSpec.Types.Stage, int, string> Value)[]
            {
                ("data", (stage, i) => i < stages.Count && stages[i].DatasetVersion.Length > 0 ? Names.Short(stages[i].DatasetVersion) : stage.Dataset),
                ("method", (stage, _) => MethodLine.Of(stage.Method ?? spec.Method)),
                ("validation data", (stage, _) => string.Join(", ", stage.ValidationDatasets.Select(Names.Short))),
                ("steps", (_, i) => i < stages.Count ? $"{Formats.Count(stages[i].CompletedSteps)} of {Formats.Count(stages[i].PlannedSteps)}" : ""),
                ("epochs", (stage, _) => Number(stage.Epochs)),
                ("batch size", (stage, _) => $"{stage.BatchSize}, {stage.MicroBatchSize} at a time"),
                ("longest row", (stage, _) => $"{Formats.Count(stage.MaxSequenceTokens)} tokens"),
                ("learning rate", (stage, _) => $"{Number(stage.PeakLearningRate)}, {Formats.Lower(stage.Schedule)}"),
                ("optimizer", (stage, _) => $"{Formats.Lower(stage.Optimizer?.Type ?? default)}, weight decay {Number(stage.WeightDecay)}, clip {Number(stage.MaxGradientNorm)}"),
                ("left out", (_, i) => i < stages.Count ? string.Join(", ", stages[i].DroppedExamples.Select(pair => $"{pair.Key} {pair.Value}")) : ""),
                ("taken from", (_, i) => i < stages.Count ? stages[i].ReusedCheckpoint : ""),
                ("last loss", (_, i) => i < stages.Count ? Formats.Loss(stages[i].TrainingLoss) : ""),
                ("validation loss", (_, i) => i < stages.Count && stages[i].HasValidationLoss ? Formats.Loss(stages[i].ValidationLoss) : ""),
            }.Select(row => (string[])[row.Name, .. spec.Stages.Select((stage, i) => row.Value(stage, i))]).Where(row => row.Skip(1).Any(value => value.Length > 0)));
        page.Details("The whole spec, as it can be run again", JsonText.Indented(spec));
    }

    private static void Lineage(Page page, RunFacts facts)
    {
        var rows = new List<(string Name, string Value)> { ("spec", facts.Job.SpecSha256), ("seed", facts.Job.Spec.Seed.ToString(CultureInfo.InvariantCulture)) };
        rows.AddRange(facts.Job.Numerics.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => ("numerics: " + pair.Key, pair.Value)));
        if (facts.Version is { } version)
        {
            rows = [("version", version.Name), ("files", version.ManifestSha256), .. version.Lineage.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value))];
        }

        page.Heading("Lineage").Table("Lineage", ["what", "from"], rows.Select(row => (string[])[row.Name, row.Value]));
        page.Table(
            "Exports", ["export", "read back"],
            facts.Version is null ? [] : facts.Version.Exports.Select(export => (string[])[ExportFormats.NameOf(export), ExportFormats.Say(export)]));
    }

    private static void Events(Page page, RunFacts facts)
    {
        var told = facts.Events.Where(change => change.EventCase != JobEvent.EventOneofCase.MetricsReported).ToList();
        page.Heading("Events").Table(
            "Events", ["time", "attempt", "event"],
            told.TakeLast(MaxEvents).Select(change => (string[])[Formats.Time(change.CreateTime), change.Attempt.ToString(CultureInfo.InvariantCulture), Say(change)]));
        if (told.Count > MaxEvents)
        {
            page.Paragraph($"{told.Count - MaxEvents} earlier events are not shown.");
        }
    }

    private static string Say(JobEvent change) => change.EventCase switch
    {
        JobEvent.EventOneofCase.StateChanged => $"{Formats.Lower(change.StateChanged.To)}{(change.StateChanged.Cause is { } cause ? $": {cause.Message}" : "")}",
        JobEvent.EventOneofCase.CheckpointSaved => $"checkpoint {change.CheckpointSaved.Checkpoint.Split('/')[^1]} saved",
        JobEvent.EventOneofCase.StageStarted => $"stage {change.StageStarted.StageId}: {Formats.Count(change.StageStarted.PlannedSteps)} steps over {Formats.Count(change.StageStarted.ExampleCount)} examples",
        JobEvent.EventOneofCase.PhaseStarted => change.PhaseStarted.Phase,
        JobEvent.EventOneofCase.Notice => $"{change.Notice.Reason}: {change.Notice.Text}",
        _ => Curve.Label(change.EventCase.ToString()),
    };

    // `validation_loss` of the first set, `validation_loss_2` of the second.
    private static bool IsLoss(string name) => name.StartsWith("validation_loss", StringComparison.Ordinal);

    private static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);
}
