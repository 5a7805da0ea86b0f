using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Peers;

namespace InstructTune.Trainer.Data;

/// <summary>Reads the examples of a stage and makes rows of those in its subset.</summary>
internal sealed class StageLoader(ExampleSource source)
{
    private const string NoTrainedToken = "NO_TRAINED_TOKEN";
    private const string OverLengthDropped = "OVER_LENGTH_DROPPED";

    /// <exception cref="JobFailedException">No example has a token to train on.</exception>
    public async Task<StageData> LoadAsync(StageSpec stage, DatasetFacts dataset, ulong seed, ExampleEncoder encoder, CancellationToken ct)
    {
        var subset = SeededPermutation.Subset(
            (int)dataset.ExampleCount, stage.MaxExamples, StepSeed.Of(seed, stage.StageId, 0, "subset")).ToHashSet();
        var rows = new List<TokenizedExample>();
        var fates = new Dictionary<RowFate, long>();
        await foreach (var (index, example) in source.ReadAsync(stage.Dataset, ct))
        {
            if (subset.Contains(index))
            {
                var (made, fate) = Encode(encoder, example, stage, index);
                if (fate == RowFate.Refused)
                {
                    throw TooLong(stage, index);
                }

                rows.AddRange(made);
                fates[fate] = fates.GetValueOrDefault(fate) + 1;
            }
        }

        return rows.Count > 0 ? ToStageData(rows, fates) : throw NothingToTrain(stage, fates);
    }

    private static (IReadOnlyList<TokenizedExample> Rows, RowFate Fate) Encode(ExampleEncoder encoder, SourceExample example, StageSpec stage, int index)
    {
        try
        {
            return encoder.Encode(example);
        }
        catch (ConversationException exception)
        {
            throw new JobFailedException(Fault(
                $"Example {index} of {stage.Dataset} is no conversation that can be trained on: {exception.Message}. Correct it and upload a new version.",
                ("stage", stage.StageId), ("position", index.ToString(CultureInfo.InvariantCulture)), ("problem", exception.Message)));
        }
    }

    private static JobFailedException TooLong(StageSpec stage, int index) => new(Fault(
        $"Example {index} of {stage.Dataset} has more than {stage.MaxSequenceTokens} tokens, and the stage's truncation is FAIL. Raise max_sequence_tokens, or choose another truncation.",
        ("stage", stage.StageId), ("position", index.ToString(CultureInfo.InvariantCulture)),
        ("max_sequence_tokens", stage.MaxSequenceTokens.ToString(CultureInfo.InvariantCulture))));

    private static StageData ToStageData(List<TokenizedExample> rows, Dictionary<RowFate, long> fates)
    {
        var dropped = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (fate, reason) in new[] { (RowFate.NoTrainedToken, NoTrainedToken), (RowFate.OverLengthDropped, OverLengthDropped) })
        {
            if (fates.TryGetValue(fate, out var count))
            {
                dropped[reason] = count;
            }
        }

        var truncated = fates.GetValueOrDefault(RowFate.Truncated);
        return new StageData
        {
            Rows = rows,
            ExampleCount = fates.GetValueOrDefault(RowFate.Whole) + truncated,
            TruncatedCount = truncated,
            Dropped = dropped,
        };
    }

    private static JobFailedException NothingToTrain(StageSpec stage, Dictionary<RowFate, long> fates)
    {
        var count = fates.Values.Sum().ToString(CultureInfo.InvariantCulture);
        return new JobFailedException(Fault(
            $"No example of {stage.Dataset} has a token to train on within {stage.MaxSequenceTokens} tokens ({count} examples were read). Raise max_sequence_tokens, or check the data.",
            ("stage", stage.StageId), ("dataset", stage.Dataset), ("count", count),
            ("max_sequence_tokens", stage.MaxSequenceTokens.ToString(CultureInfo.InvariantCulture))));
    }

    private static JobFault Fault(string message, params (string Key, string Value)[] metadata) =>
        new("DATA_INVALID", message, metadata.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal));
}
