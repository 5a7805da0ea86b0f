// Shape letters in this file:
//   R rows   N query heads   O query, key and value widths together   C query heads' width

using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>
/// Causal attention of whole rows or of the pieces packed into them, there and back. Queries, keys and values lie side by side in one tensor, as
/// their product leaves them; on the way back their gradients take their places. A thread takes one key head of one sequence at a time.
/// </summary>
internal sealed class AttentionStep(LlamaConfig config, BatchPlaces places, Action<DriverWork>? working) : IDisposable
{
    private readonly HeadScratch[] _scratch = [.. Enumerable.Range(0, TorchThreads.Count).Select(_ => new HeadScratch(places.LongestPiece, config.HeadWidth))];
    private readonly (long FirstRow, int Tokens, int Head)[] _tasks =
    [
        .. places.Sequences.OrderByDescending(piece => piece.Tokens)
            .SelectMany(piece => Enumerable.Range(0, config.KeyValueHeads).Select(head => (piece.FirstRow, (int)piece.Tokens, head))),
    ];

    /// <summary>Fills results and the logarithms of sums.</summary>
    public void Forward(int layer, Tensor qkv_RO, Tensor y_RC, Tensor logSums_RN)
    {
        var (qkv, y, sums, window) = (RowSpan.Of(qkv_RO), RowSpan.Of(y_RC), RowSpan.Of(logSums_RN), config.WindowOf(layer));
        Each((attention, first, tokens, head) => attention.Forward(qkv.Part(first, tokens), y.Part(first, tokens), sums.Part(first, tokens), head, window));
    }

    /// <summary>Puts the gradients of queries, keys and values in their places.</summary>
    public void Backward(int layer, Tensor dy_RC, Tensor y_RC, Tensor qkv_RO, Tensor logSums_RN)
    {
        var (dy, y, window) = (RowSpan.Of(dy_RC), RowSpan.Of(y_RC), config.WindowOf(layer));
        var (qkv, sums) = (RowSpan.Of(qkv_RO), RowSpan.Of(logSums_RN));
        Each((attention, first, tokens, head) => attention.Backward(
            dy.Part(first, tokens), y.Part(first, tokens), qkv.Part(first, tokens), sums.Part(first, tokens), head, window));
    }

    public void Dispose()
    {
        foreach (var scratch in _scratch)
        {
            scratch.Dispose();
        }
    }

    // Whoever is free takes the next task, longest first; which thread that is changes no bit.
    private void Each(Action<HeadAttention, int, int, int> work)
    {
        working?.Invoke(DriverWork.Attention);
        var next = -1;
        TorchTeam.For(_scratch.Length, Take);
        working?.Invoke(DriverWork.Rows);

        void Take(int member)
        {
            var attention = new HeadAttention(config, _scratch[member]);
            for (var i = Interlocked.Increment(ref next); i < _tasks.Length; i = Interlocked.Increment(ref next))
            {
                work(attention, (int)_tasks[i].FirstRow, _tasks[i].Tokens, _tasks[i].Head);
            }
        }
    }
}
