// Shape letters in this file:
//   B batch   T tokens   P positions or rows   H width of one head

using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>Consecutive rows that attend to each other.</summary>
internal readonly record struct BatchPiece(long FirstRow, long Tokens);

/// <summary>Where the tokens of a micro-batch stand: its shape, the angles of its rows, and what attends to what.</summary>
internal sealed class BatchPlaces : IDisposable
{
    private readonly List<Tensor> _kept = [];

    public BatchPlaces(Tensor ids_BT, TokenPlacement? placement, RotaryTable rotary)
    {
        (Batch, Tokens) = (ids_BT.size(0), ids_BT.size(1));
        placement?.RefuseMismatch((int)Batch, (int)Tokens);
        Rotation = placement is null ? rotary.Prefix((int)Tokens) : placement.Rotation(rotary, (int)Tokens);
        Segments = placement?.SegmentsOf((int)Tokens);
        Keep(Rotation.Cos_R1H);
        Keep(Rotation.Sin_R1H);
        Cos_PH = Rotation.Cos_R1H.view(-1, Rotation.Cos_R1H.size(-1));
        Sin_PH = Rotation.Sin_R1H.view(-1, Rotation.Sin_R1H.size(-1));
        Keep(Cos_PH);
        Keep(Sin_PH);
        Sequences = Segments is null
            ? [.. Enumerable.Range(0, (int)Batch).Select(row => new BatchPiece(row * Tokens, Tokens))]
            : [.. Segments.SelectMany((pieces, row) => pieces.Select(piece => new BatchPiece((row * Tokens) + piece.From, piece.Count)))];
    }

    public long Batch { get; }

    public long Tokens { get; }

    public long Rows => Batch * Tokens;

    public Rotation Rotation { get; }

    public IReadOnlyList<IReadOnlyList<(int From, int Count)>>? Segments { get; }

    public Tensor Cos_PH { get; }

    public Tensor Sin_PH { get; }

    /// <summary>The rows of the batch, or the pieces packed into them.</summary>
    public IReadOnlyList<BatchPiece> Sequences { get; }

    public long LongestPiece => Sequences.Max(piece => piece.Tokens);

    /// <summary>Keeps a tensor as long as this.</summary>
    public void Keep(Tensor tensor) => _kept.Add(tensor.DetachFromDisposeScope());

    public void Dispose()
    {
        foreach (var tensor in _kept)
        {
            tensor.Dispose();
        }
    }
}
