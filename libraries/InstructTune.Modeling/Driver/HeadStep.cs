// Shape letters in this file:
//   S rows with a label   C rows of a chunk   D model width   V vocabulary

using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>The output head and the loss with their gradients, a chunk of rows at a time: scores of a whole batch never exist.</summary>
internal sealed class HeadStep(WeightMatrix head, Arena arena, Gradients gradients, Action<DriverWork>? working)
{
    // Fewer rows make the products slower, which read the head once for each chunk.
    private const long ChunkBytes = 64L << 20;
    private const long MostRows = 1024;

    /// <summary>Rows whose scores exist at once.</summary>
    public static long ChunkRows(int vocabularySize) => Math.Clamp(ChunkBytes / (sizeof(float) * (long)vocabularySize), 1, MostRows);

    /// <summary>Returns the sum of the losses, fills the gradients of the hidden states, and adds to that of the head where it is trained.</summary>
    public double Run(Tensor hidden_SD, PaddedBatch batch, Tensor gradient_SD, long stepTrainedTokens)
    {
        var sum = 0.0;
        var rows = Math.Min(ChunkRows(head.Outputs), batch.TrainedTokenCount);
        var labels = batch.Labels_R.data<long>().ToArray();
        for (long start = 0; start < batch.TrainedTokenCount; start += rows)
        {
            using var scope = NewDisposeScope();
            var mark = arena.Mark;
            var count = Math.Min(rows, batch.TrainedTokenCount - start);
            var scores_CV = arena.Take(count, head.Outputs);
            var hidden_CD = hidden_SD.narrow(0, start, count);
            working?.Invoke(DriverWork.Head);
            head.Product(hidden_CD, scores_CV, adds: false);
            working?.Invoke(DriverWork.Loss);
            sum += LossRows.Replace(RowSpan.Of(scores_CV), labels.AsSpan((int)start, (int)count), stepTrainedTokens);
            working?.Invoke(DriverWork.Head);
            head.BackProduct(scores_CV, gradient_SD.narrow(0, start, count), adds: false);
            if (head.Leaf is { requires_grad: true } leaf)
            {
                var (gradient_VD, adds) = gradients.Of(leaf);
                gradient_VD.addmm_(scores_CV.t(), hidden_CD, adds ? 1 : 0, 1);
            }

            arena.Release(mark);
        }

        working?.Invoke(DriverWork.Rows);
        return sum;
    }
}
