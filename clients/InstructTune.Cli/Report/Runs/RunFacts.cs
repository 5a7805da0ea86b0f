using InstructTune.V1;

namespace InstructTune.Cli.Report.Runs;

/// <summary>One value over the steps of a job.</summary>
/// <param name="Name">As events have it, such as <c>training_loss</c>.</param>
/// <param name="Points">In order of steps.</param>
internal sealed record Series(string Name, IReadOnlyList<(double Step, double Value)> Points);

/// <summary>One example as the model was trained on it, and what the model answers to it; empty where it was not asked.</summary>
internal sealed record Sample(string Stage, string Prompt, string Wanted, string Answer);

/// <summary>Everything that the report of a run is made of.</summary>
internal sealed record RunFacts
{
    public required FineTuneJob Job { get; init; }

    public required IReadOnlyList<ListTrainingMetricsResponse.Types.Row> Rows { get; init; }

    public required IReadOnlyList<JobEvent> Events { get; init; }

    /// <summary>Null before the job succeeded.</summary>
    public ModelVersion? Version { get; init; }

    /// <summary>Of the version.</summary>
    public IReadOnlyList<EvaluationRun> Evaluations { get; init; } = [];

    public IReadOnlyList<Sample> Samples { get; init; } = [];

    public required DateTimeOffset Now { get; init; }

    /// <summary>A value by step; empty where no step reported it.</summary>
    public Series Of(string name) => new(
        name, [.. Rows.Where(row => row.Values.TryGetValue(name, out var value) && double.IsFinite(value)).Select(row => ((double)row.Step, row.Values[name]))]);

    /// <summary>The values that come with validation: whatever is no value of training.</summary>
    public IReadOnlyList<Series> Validation(Func<string, bool> isWanted) =>
        [.. Rows.SelectMany(row => row.Values.Keys).Distinct(StringComparer.Ordinal).Where(name => !Known.Contains(name) && isWanted(name)).Order(StringComparer.Ordinal).Select(Of)];

    /// <summary>Where each stage begins, counted from step 0.</summary>
    public IReadOnlyList<(string Stage, double Step)> Borders =>
        [.. Rows.GroupBy(row => row.StageId).Select(stage => (stage.Key, (double)stage.Min(row => row.Step) - 1)).OrderBy(border => border.Item2)];

    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "training_loss", "learning_rate", "gradient_norm", "tokens_per_second", "trained_tokens", "seen_tokens", "epoch",
    };
}
