namespace InstructTune.Trainer.Reports;

/// <summary>What one optimizer step reported, and the validation that followed it, if any.</summary>
internal sealed record StepReport
{
    public required long Step { get; init; }

    public required long PlannedSteps { get; init; }

    public required string StageId { get; init; }

    public required double UnixSeconds { get; init; }

    public required double ElapsedSeconds { get; init; }

    /// <summary>As the job's events have them; whatever is no value of training belongs to a validation set.</summary>
    public required IReadOnlyDictionary<string, double> Values { get; init; }

    /// <summary>What the validation sets are called, in order.</summary>
    public IReadOnlyList<string> ValidationSets { get; init; } = [];

    public double ValidationSeconds { get; init; }

    /// <summary>Of all sets together.</summary>
    public long ValidationExamples { get; init; }

    public long ValidationBatches { get; init; }
}

/// <summary>From a step's values to rows under Hugging Face's names, in its order. Pure.</summary>
internal static class StepRows
{
    private const string ValidationPrefix = "validation_";

    private static readonly HashSet<string> TrainingValues = new(StringComparer.Ordinal)
    {
        "training_loss", "epoch", "learning_rate", "gradient_norm", "tokens_per_second", "seen_tokens", "trained_tokens",
    };

    public static IReadOnlyList<LoggedRow> Of(StepReport report)
    {
        var rows = new List<LoggedRow> { Row(report, Training(report)) };
        var sets = report.Values.Keys.Where(key => !TrainingValues.Contains(key)).GroupBy(SetOf).OrderBy(set => set.Key);
        rows.AddRange(sets.Select(set => Row(report, Evaluation(report, set.Key, [.. set]))));
        return rows;
    }

    /// <summary>The row that ends a run.</summary>
    public static LoggedRow End(LoggedRow last, double unixSeconds, double meanLoss, long examples, double flops)
    {
        var seconds = Math.Max(last.ElapsedSeconds, 1e-9);
        KeyValuePair<string, double>[] values =
        [
            new("train_runtime", Math.Round(last.ElapsedSeconds, 4)),
            new("train_samples_per_second", Math.Round(examples / seconds, 3)),
            new("train_steps_per_second", Math.Round(last.Step / seconds, 3)),
            new("total_flos", flops),
            new("train_loss", meanLoss),
            .. Shared(last.Find("epoch") ?? 0, last.Find(LoggedRow.SeenTokens) ?? 0),
        ];
        return last with { UnixSeconds = unixSeconds, Values = values };
    }

    private static LoggedRow Row(StepReport report, IReadOnlyList<KeyValuePair<string, double>> values) =>
        new(report.Step, report.PlannedSteps, report.StageId, report.UnixSeconds, report.ElapsedSeconds, values);

    private static KeyValuePair<string, double>[] Training(StepReport report) =>
    [
        new("loss", report.Values["training_loss"]),
        new("grad_norm", report.Values["gradient_norm"]),
        new("learning_rate", report.Values["learning_rate"]),
        .. Shared(report.Values["epoch"], report.Values["seen_tokens"]),
        new("train_runtime", Math.Round(report.ElapsedSeconds, 4)),
        new("train_tokens_per_second", Math.Round(report.Values["seen_tokens"] / Math.Max(report.ElapsedSeconds, 1e-9), 3)),
    ];

    private static KeyValuePair<string, double>[] Evaluation(StepReport report, int set, IReadOnlyList<string> keys)
    {
        // With one set its name is left out, as there.
        var prefix = report.ValidationSets.Count > 1 && set < report.ValidationSets.Count ? $"eval_{report.ValidationSets[set]}_" : "eval_";
        var count = Math.Max(1, report.ValidationSets.Count);
        var seconds = Math.Max(report.ValidationSeconds / count, 1e-9);
        return
        [
            .. keys.OrderByDescending(key => key.StartsWith(ValidationPrefix, StringComparison.Ordinal)).ThenBy(key => key, StringComparer.Ordinal)
                .Select(key => new KeyValuePair<string, double>(prefix + NameOf(key), report.Values[key])),
            new(prefix + "runtime", Math.Round(seconds, 4)),
            new(prefix + "samples_per_second", Math.Round(report.ValidationExamples / count / seconds, 3)),
            new(prefix + "steps_per_second", Math.Round(report.ValidationBatches / count / seconds, 3)),
            .. Shared(report.Values["epoch"], report.Values["seen_tokens"]),
        ];
    }

    private static KeyValuePair<string, double>[] Shared(double epoch, double seenTokens) => [new("epoch", epoch), new(LoggedRow.SeenTokens, seenTokens)];

    // `validation_loss` is of the first set, `validation_loss_2` of the second.
    private static int SetOf(string key) => Number(key) is { } number ? number - 1 : 0;

    private static string NameOf(string key)
    {
        var name = Number(key) is null ? key : key[..key.LastIndexOf('_')];
        return name.StartsWith(ValidationPrefix, StringComparison.Ordinal) ? name[ValidationPrefix.Length..] : name;
    }

    private static int? Number(string key) =>
        int.TryParse(key.AsSpan(key.LastIndexOf('_') + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)
            && number > 1 ? number : null;
}
