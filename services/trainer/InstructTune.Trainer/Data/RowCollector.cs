using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Peers;

namespace InstructTune.Trainer.Data;

/// <summary>Makes rows of examples, and counts what became of each.</summary>
internal sealed class RowCollector(StageSpec stage, ExampleEncoder encoder)
{
    private const string NoTrainedToken = "NO_TRAINED_TOKEN";
    private const string OverLengthDropped = "OVER_LENGTH_DROPPED";

    private readonly Dictionary<RowFate, long> _fates = [];

    /// <summary>The rows of an example that occurs this often.</summary>
    /// <exception cref="JobFailedException">It cannot be trained on, or is too long where that is to fail.</exception>
    public IReadOnlyList<TokenizedExample> Rows(SourceExample example, string version, int index, int occurrences = 1)
    {
        var (rows, fate) = Encode(example, version, index);
        if (fate == RowFate.Refused)
        {
            throw TooLong(version, index);
        }

        _fates[fate] = _fates.GetValueOrDefault(fate) + occurrences;
        return rows;
    }

    /// <exception cref="JobFailedException">No example has a token to train on.</exception>
    public StageData ToStageData(IReadOnlyList<TokenizedExample> rows, string source)
    {
        if (rows.Count == 0)
        {
            throw NothingToTrain(source);
        }

        var dropped = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (fate, reason) in new[] { (RowFate.NoTrainedToken, NoTrainedToken), (RowFate.OverLengthDropped, OverLengthDropped) })
        {
            if (_fates.TryGetValue(fate, out var count))
            {
                dropped[reason] = count;
            }
        }

        var truncated = _fates.GetValueOrDefault(RowFate.Truncated);
        return new StageData { Rows = rows, ExampleCount = _fates.GetValueOrDefault(RowFate.Whole) + truncated, TruncatedCount = truncated, Dropped = dropped };
    }

    /// <summary>Metrics of answers that nothing can be asked for would never be measured, and decide nothing.</summary>
    public JobFailedException NothingToAsk(string source) => new(Fault(
        $"No example of {source} that was drawn can be asked: metrics of answers need prompts of fewer than {stage.MaxSequenceTokens} tokens that have an answer. "
            + "Validate on other data, or leave validation_metrics out.",
        ("stage", stage.StageId), ("dataset", source), ("max_sequence_tokens", stage.MaxSequenceTokens.ToString(CultureInfo.InvariantCulture))));

    private (IReadOnlyList<TokenizedExample> Rows, RowFate Fate) Encode(SourceExample example, string version, int index)
    {
        try
        {
            return encoder.Encode(example);
        }
        catch (ConversationException exception)
        {
            throw new JobFailedException(Fault(
                $"Example {index} of {version} is no conversation that can be trained on: {exception.Message}. Correct it and upload a new version.",
                ("stage", stage.StageId), ("position", index.ToString(CultureInfo.InvariantCulture)), ("problem", exception.Message)));
        }
    }

    private JobFailedException TooLong(string version, int index) => new(Fault(
        $"Example {index} of {version} has more than {stage.MaxSequenceTokens} tokens, and the stage's truncation is FAIL. Raise max_sequence_tokens, or choose another truncation.",
        ("stage", stage.StageId), ("position", index.ToString(CultureInfo.InvariantCulture)),
        ("max_sequence_tokens", stage.MaxSequenceTokens.ToString(CultureInfo.InvariantCulture))));

    private JobFailedException NothingToTrain(string source)
    {
        var count = _fates.Values.Sum().ToString(CultureInfo.InvariantCulture);
        return new JobFailedException(Fault(
            $"No example of {source} has a token to train on within {stage.MaxSequenceTokens} tokens ({count} examples were read). Raise max_sequence_tokens, or check the data.",
            ("stage", stage.StageId), ("dataset", source), ("count", count),
            ("max_sequence_tokens", stage.MaxSequenceTokens.ToString(CultureInfo.InvariantCulture))));
    }

    private static JobFault Fault(string message, params (string Key, string Value)[] metadata) =>
        new("DATA_INVALID", message, metadata.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal));
}
