using System.Globalization;
using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Reports;

namespace InstructTune.Trainer.Publishing;

/// <summary>What a card is written from. Nothing of it depends on when or how often the job was started: equal jobs publish equal files.</summary>
/// <param name="Order">The job.</param>
/// <param name="Progress">At its end.</param>
/// <param name="Rows">Every step.</param>
/// <param name="Lineage">As the version has it.</param>
internal sealed record CardFacts(FineTuneOrder Order, JobProgress Progress, IReadOnlyList<LoggedRow> Rows, IReadOnlyDictionary<string, string> Lineage)
{
    public bool IsAdapter => Order.Spec.LoraOf(Order.Spec.Stages[^1]) is not null;
}

/// <summary>The card of a trained version: README.md with the front matter that model hubs read. Pure.</summary>
internal static class ModelCard
{
    public const string FileName = "README.md";

    public static string Render(CardFacts facts)
    {
        var card = new CardText();
        FrontMatter(card, facts);
        var (spec, baseName) = (facts.Order.Spec, Short(facts.Order.BaseVersion));
        card.Line().Line($"# {(facts.IsAdapter ? "Adapter for" : "Fine-tuned from")} {baseName}").Line()
            .Line($"{(facts.IsAdapter ? "A low-rank adapter on" : "All weights of")} `{facts.Order.BaseVersion}`, trained by InstructTune in {Count(spec.Stages.Count, "stage")}:"
                + $" {string.Join(", then ", spec.Stages.Select(stage => stage.StageId))}.");
        card.Section("Use", $"Prompt format: `{spec.PromptFormat}`; answers end with the end-of-text token. It was trained in this format and no other.");
        Stages(card, facts);
        Curve(card, facts);
        card.Section("Evaluation", Validation(facts));
        card.Section("Lineage").Table(["what", "from"], facts.Lineage.Select(pair => (string[])[pair.Key, $"`{pair.Value}`"]));
        card.Section(
            "Limits",
            $"- It has seen at most {spec.Stages.Max(stage => stage.MaxSequenceTokens)} tokens in a row in training.",
            "- It knows what its base knows and what the datasets above taught it, errors included; facts in answers are to be checked.",
            "- Nothing here measured safety or bias. Scores are of the data named beside them and say little of other data.",
            "- With equal spec, code and numerics the training gives these weights again, bit for bit, on a CPU.");
        return card.ToString();
    }

    private static void FrontMatter(CardText card, CardFacts facts)
    {
        var baseName = Short(facts.Order.BaseVersion);
        card.Line("---")
            .Line("base_model: " + CardText.Scalar(baseName))
            .List("datasets", facts.Order.Datasets.SelectMany(Versions).Select(dataset => dataset.VersionName.Split('/')[1]).Distinct(StringComparer.Ordinal))
            .Line("library_name: " + (facts.IsAdapter ? "peft" : "transformers"))
            .Line("pipeline_tag: text-generation")
            .List("tags", facts.IsAdapter ? [$"base_model:adapter:{baseName}", "lora", "sft", "instructtune"] : [$"base_model:finetune:{baseName}", "sft", "instructtune"]);
        if (facts.Order.Validation.Count > 0)
        {
            card.List("metrics", ["loss", .. facts.Order.Spec.Stages.SelectMany(stage => stage.ValidationMetrics).Distinct(StringComparer.Ordinal)]);
        }

        card.Line("---");
    }

    private static void Stages(CardText card, CardFacts facts)
    {
        var (spec, datasets) = (facts.Order.Spec, facts.Order.Datasets);
        card.Section("Stages").Table(
            ["", .. spec.Stages.Select(stage => stage.StageId)],
            new (string Name, Func<StageSpec, int, string> Value)[]
            {
                ("data", (_, i) => string.Join(" + ", Versions(datasets[i]).Select(dataset => Short(dataset.VersionName)))),
                ("examples", (stage, i) => Whole(stage.MaxExamples > 0 ? Math.Min(stage.MaxExamples, datasets[i].ExampleCount) : datasets[i].ExampleCount)),
                ("left out", (_, i) => LeftOut(facts.Progress.Stages[i].DroppedExamples)),
                ("method", (stage, _) => CardMethod.Of(spec.MethodOf(stage))),
                ("precision", (stage, _) => CardMethod.Precision(spec, stage)),
                ("epochs", (stage, _) => CardText.Number(stage.Epochs)),
                ("steps", (_, i) => Whole(facts.Progress.Stages[i].CompletedSteps)),
                ("trained tokens", (_, i) => Whole(facts.Progress.Stages[i].TrainedTokens)),
                ("batch size", (stage, _) => Whole(stage.BatchSize)),
                ("longest row", (stage, _) => Whole(stage.MaxSequenceTokens)),
                ("packing", (stage, _) => stage.IsPacked ? "block-diagonal" : "none"),
                ("learning rate", (stage, _) => PythonNumber.Format(stage.PeakLearningRate)),
                ("schedule", (stage, _) => $"{stage.Schedule}, {(stage.WarmupSteps is { } steps ? Count(steps, "warm-up step") : $"warm-up {CardText.Number(stage.WarmupRatio ?? 0)}")}"
                    + (stage.MinLearningRateRatio > 0 ? $", down to {CardText.Number(stage.MinLearningRateRatio)} of it" : "")),
                ("optimizer", (stage, _) => $"{stage.Optimizer}, weight decay {CardText.Number(stage.WeightDecay)}, clip {CardText.Number(stage.MaxGradientNorm ?? 0)}"),
                ("noise on embeddings", (stage, _) => stage.NeftuneAlpha > 0 ? $"NEFTune, alpha {CardText.Number(stage.NeftuneAlpha)}" : "none"),
                ("seed", (_, _) => spec.Seed.ToString(CultureInfo.InvariantCulture)),
            }.Select(row => (string[])[row.Name, .. spec.Stages.Select((stage, i) => row.Value(stage, i))]));
    }

    private static void Curve(CardText card, CardFacts facts) =>
        card.Section("Training curve", "Mean loss of a step in nats per trained token.", "").Table(
            ["stage", "first", "last", "smallest", "mean of the last tenth"],
            facts.Progress.Stages.Select(stage => facts.Rows.Where(row => row.StageId == stage.StageId && row.Loss is not null).Select(row => row.Loss!.Value).ToList() is { Count: > 0 } losses
                ? (string[])[stage.StageId, CardText.Loss(losses[0]), CardText.Loss(losses[^1]), CardText.Loss(losses.Min()), CardText.Loss(losses.TakeLast((losses.Count + 9) / 10).Average())]
                : [stage.StageId, "", CardText.Loss(stage.TrainingLoss), "", ""]));

    private static string[] Validation(CardFacts facts)
    {
        var measured = facts.Progress.Stages.Where(stage => stage.ValidationValues.Count > 0).ToList();
        return measured.Count == 0
            ? ["No held-out data was measured during training."]
            : [.. measured.Select(stage => $"- After stage {stage.StageId}: {Values(stage.ValidationValues)}; the best was step {stage.BestStep}: {Values(stage.BestValues)}.")];
    }

    private static string Values(IReadOnlyDictionary<string, double> values) =>
        string.Join(", ", values.OrderBy(value => value.Key, StringComparer.Ordinal).Select(value => $"{value.Key.Replace('_', ' ')} {CardText.Loss(value.Value)}"));

    private static string LeftOut(IReadOnlyDictionary<string, long> dropped) => dropped.Count == 0
        ? "none"
        : string.Join(", ", dropped.OrderBy(reason => reason.Key, StringComparer.Ordinal).Select(reason => $"{Whole(reason.Value)} ({reason.Key})"));

    private static IEnumerable<DatasetFacts> Versions(DatasetFacts dataset) => dataset.Components.DefaultIfEmpty(dataset);

    // `models/base/versions/1` is `base@1` to people.
    private static string Short(string name) => name.Split('/') is [_, var id, _, var version] ? $"{id}@{version}" : name;

    private static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";
}
