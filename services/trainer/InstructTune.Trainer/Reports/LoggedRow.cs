namespace InstructTune.Trainer.Reports;

/// <summary>
/// One entry of Hugging Face's <c>log_history</c>, with what it leaves out: when it was. All logs are made of these.
/// </summary>
/// <param name="Step">Optimizer steps since the start of the job.</param>
/// <param name="PlannedSteps">Of the whole job, as known then.</param>
/// <param name="StageId">The stage it belongs to.</param>
/// <param name="UnixSeconds">When.</param>
/// <param name="ElapsedSeconds">Of training, over all attempts that count.</param>
/// <param name="Values">By Hugging Face's names, in the order in which its trainer logs them.</param>
internal sealed record LoggedRow(
    long Step, long PlannedSteps, string StageId, double UnixSeconds, double ElapsedSeconds, IReadOnlyList<KeyValuePair<string, double>> Values)
{
    public const string SeenTokens = "num_input_tokens_seen";

    /// <summary>Of training, for a row of training; null for others.</summary>
    public double? Loss => Find("loss");

    public double? Find(string name)
    {
        foreach (var (key, value) in Values)
        {
            if (key == name)
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>A value with the type that Python has for it.</summary>
    public static object Typed(string name, double value) => name == SeenTokens ? (object)(long)value : value;
}
