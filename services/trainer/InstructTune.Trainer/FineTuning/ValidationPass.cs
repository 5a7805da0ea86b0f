using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Trainer.FineTuning;

/// <summary>The loss on rows that nothing is learnt from, in nats per trained token. Runs on the training thread.</summary>
internal static class ValidationPass
{
    public static double Loss(TrainedModel model, IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches, DeviceTurns turns)
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
        }

        return sum / tokens;
    }
}
