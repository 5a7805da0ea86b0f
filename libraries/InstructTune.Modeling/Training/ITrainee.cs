using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>What a training step needs of a model.</summary>
public interface ITrainee
{
    /// <summary>The weights that are trained, with the names they have in files. They require gradients; nothing else does.</summary>
    IReadOnlyList<NamedTensor> Weights { get; }

    /// <summary>Rows of the output head.</summary>
    int VocabularySize { get; }

    /// <summary>
    /// Final hidden states of rows padded on the right. <paramref name="seed"/> fixes dropout; equal seeds give equal masks.
    /// <paramref name="placement"/> says which examples share a row; null: a row is one example.
    /// </summary>
    Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement);

    /// <summary>Logits of rows of hidden states.</summary>
    Tensor Logits(Tensor hidden_RD);

    /// <summary>
    /// Adds the gradients of a micro-batch to those that the weights hold, and returns the sum of its token losses, in nats.
    /// </summary>
    /// <param name="batch">The rows; at least one token is trained.</param>
    /// <param name="seed">Of the step: fixes dropout, by the batch's place in it.</param>
    /// <param name="stepTrainedTokens">Trained tokens of all micro-batches of the step.</param>
    /// <param name="entered">Told of each phase as it begins; null where nobody measures.</param>
    double Backward(PaddedBatch batch, StepSeed seed, long stepTrainedTokens, Action<StepPhase>? entered)
    {
        entered?.Invoke(StepPhase.Forward);
        var hidden_BTD = Hidden(batch.Ids_BT, seed, batch.Placement);
        entered?.Invoke(StepPhase.Backward);
        return ResponseLoss.Backward(hidden_BTD, batch, (rows_RD, _) => Logits(rows_RD), VocabularySize, stepTrainedTokens);
    }
}
