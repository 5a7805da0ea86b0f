namespace InstructTune.Cli.Tracking;

/// <summary>The steps of a job as a TensorBoard event file, under the tags of Hugging Face's trainer.</summary>
internal static class TensorBoardLog
{
    // Our name of a value, Hugging Face's tag; in the order their trainer logs them.
    private static readonly (string Value, string Tag)[] Tags =
    [
        ("training_loss", "train/loss"),
        ("gradient_norm", "train/grad_norm"),
        ("learning_rate", "train/learning_rate"),
        ("epoch", "train/epoch"),
        ("seen_tokens", "train/num_input_tokens_seen"),
        ("tokens_per_second", "train/train_tokens_per_second"),
    ];

    public static void Write(Stream output, IReadOnlyList<TrainingRow> rows)
    {
        output.Write(TensorBoardFile.Version(rows.Count == 0 ? 0 : Seconds(rows[0].Time)));
        foreach (var row in rows)
        {
            foreach (var (value, tag) in Tags)
            {
                if (row.Values.TryGetValue(value, out var number))
                {
                    output.Write(TensorBoardFile.Scalar(Seconds(row.Time), row.Step, tag, number));
                }
            }
        }
    }

    private static double Seconds(DateTime time) => (time - DateTime.UnixEpoch).TotalSeconds;
}
