using System.Text;

namespace InstructTune.Trainer.Reports;

/// <summary>
/// The flat files that Hugging Face's scripts leave beside a finished run, byte for byte in their form: what training came to, what the last validation measured,
/// and both together. Pure.
/// </summary>
internal static class ResultSummaries
{
    public const string All = "all_results.json";
    public const string Training = "train_results.json";
    public const string Validation = "eval_results.json";

    private const string ValidationPrefix = "eval_";
    private const int Indent = 4;

    /// <param name="rows">Of a run that has ended.</param>
    public static IEnumerable<(string Name, byte[] Content)> Of(IReadOnlyList<LoggedRow> rows)
    {
        var training = rows.Where(row => row.Find("train_loss") is not null).TakeLast(1).SelectMany(row => row.Values).ToList();
        var measured = rows.Where(IsValidation).ToList();
        // The last pass over each set; several sets have a row each.
        var validation = measured.Where(row => row.Step == measured[^1].Step).SelectMany(row => row.Values).ToList();
        yield return (Training, Render(training));
        if (validation.Count > 0)
        {
            yield return (Validation, Render(validation));
        }

        yield return (All, Render([.. training, .. validation]));
    }

    private static bool IsValidation(LoggedRow row) => row.Values.Any(value => value.Key.StartsWith(ValidationPrefix, StringComparison.Ordinal));

    // Of a value that occurs twice the later one stands.
    private static byte[] Render(IEnumerable<KeyValuePair<string, double>> values)
    {
        var summary = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, value) in values)
        {
            summary[name] = LoggedRow.Typed(name, value);
        }

        return Encoding.UTF8.GetBytes(PythonJson.Sorted(summary, Indent));
    }
}
