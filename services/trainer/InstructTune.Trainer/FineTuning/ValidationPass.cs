using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.Data;
using InstructTune.Trainer.Estimation;
using static TorchSharp.torch;

namespace InstructTune.Trainer.FineTuning;

/// <summary>What is measured on rows that nothing is learnt from. Runs on the training thread.</summary>
internal sealed class ValidationPass(TrainedModel model, PassCut memory, DeviceTurns turns, Action stepped)
{
    private const int FewestTokens = 16;
    private const int MostTokens = 512;

    /// <summary>Every metric of every set of a stage, by the names that events have.</summary>
    public IReadOnlyDictionary<string, double> Run(StageRun run)
    {
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        for (var set = 0; set < run.Validation.Count; set++)
        {
            values[ValidationMetric.NameOf(ValidationMetric.Loss, set)] = Loss(memory.Cut(run.Validation[set].Rows, run.Spec.MicroBatchSize));
            foreach (var (metric, value) in Generated(run, run.Validation[set]))
            {
                values[ValidationMetric.NameOf(metric, set)] = value;
            }
        }

        return values;
    }

    /// <summary>In nats per trained token.</summary>
    private double Loss(IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches)
    {
        var (sum, tokens) = (0.0, 0L);
        foreach (var rows in microBatches)
        {
            using var turn = turns.Enter(CancellationToken.None);
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            using var batch = PaddedBatch.Of(rows);
            if (batch.TrainedTokenCount > 0)
            {
                sum += ResponseLoss.Sum(model.HiddenForValidation(batch.Ids_BT), batch, model.Logits, model.VocabularySize);
                tokens += batch.TrainedTokenCount;
            }

            stepped();
        }

        return sum / tokens;
    }

    // Answers may be half as long again as the longest that the data has.
    private IEnumerable<(string Metric, double Value)> Generated(StageRun run, StageData set)
    {
        if (run.Spec.ValidationMetrics.Count == 0 || set.Questions.Count == 0)
        {
            return [];
        }

        using var turn = turns.Enter(CancellationToken.None);
        var longest = set.Questions.Max(question => question.ReferenceTokens);
        var answers = model.Answers(
            [.. set.Questions.Select(question => question.Prompt)], run.Encoder!.EndIds, Math.Clamp(longest * 3 / 2, FewestTokens, MostTokens), stepped);
        var texts = answers.Select(run.Encoder.Decode).ToArray();
        return run.Spec.ValidationMetrics.Select(metric =>
            (metric, set.Questions.Zip(texts, (question, text) => ValidationMetric.Score(metric, question.Reference, text)).Average()));
    }
}
