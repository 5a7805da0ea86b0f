// Shape letters in this file:
//   R rows of the step   W rows whose logits are wanted   D model width   F feed-forward width   V vocabulary   r rank

using InstructTune.Kernels;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Serving;

/// <summary>What a step writes besides keys and values; grown when a step is larger than all before it.</summary>
internal sealed unsafe class KernelBuffers : IDisposable
{
    private const int LayersOfOneInput = 3;

    private readonly int _rows;
    private readonly int _wantedRows;
    private readonly int _rank;
    private readonly int _half;
    private readonly AlignedBuffer<float> _cosines;
    private readonly AlignedBuffer<float> _sines;
    private readonly AlignedBuffer<float>[] _scores;
    private readonly ActivationRows[] _inner;
    private readonly RowBuffer[] _delta;

    public KernelBuffers(LlamaConfig config, int rows, int wanted, int rank, int members)
    {
        (_rows, _wantedRows, _rank, _half) = (rows, wanted, rank, config.HeadWidth / 2);
        var (heads, keyValue) = (config.QueryHeads * config.HeadWidth, config.KeyValueHeads * config.HeadWidth);
        Stream_RD = new RowBuffer(rows, config.ModelWidth);
        Normed_RD = new ActivationRows(rows, config.ModelWidth);
        Query_R = new RowBuffer(rows, heads);
        Key_R = new RowBuffer(rows, keyValue);
        Value_R = new RowBuffer(rows, keyValue);
        Attended_R = new ActivationRows(rows, heads);
        Result_RD = new RowBuffer(rows, config.ModelWidth);
        Gate_RF = new RowBuffer(rows, config.FeedForwardWidth);
        Up_RF = new RowBuffer(rows, config.FeedForwardWidth);
        Gated_RF = new ActivationRows(rows, config.FeedForwardWidth);
        Final_WD = new ActivationRows(wanted, config.ModelWidth);
        Logits_WV = new RowBuffer(wanted, config.VocabularySize);
        _inner = [.. Enumerable.Range(0, rank == 0 ? 0 : LayersOfOneInput).Select(_ => new ActivationRows(rows, rank))];
        var widest = Math.Max(config.FeedForwardWidth, Math.Max(heads, config.ModelWidth));
        _delta = [.. Enumerable.Range(0, rank == 0 ? 0 : LayersOfOneInput).Select(_ => new RowBuffer(rows, widest))];
        _cosines = new AlignedBuffer<float>((long)rows * _half);
        _sines = new AlignedBuffer<float>((long)rows * _half);
        _scores = [.. Enumerable.Range(0, members).Select(_ => new AlignedBuffer<float>(config.ContextTokens + 3))];
    }

    /// <summary>Bytes of all that the constructor allocates.</summary>
    public static long SizeBytes(LlamaConfig config, int rows, int wanted, int rank, int members)
    {
        var (heads, keyValue, half) = (config.QueryHeads * config.HeadWidth, config.KeyValueHeads * config.HeadWidth, config.HeadWidth / 2);
        var widest = Math.Max(config.FeedForwardWidth, Math.Max(heads, config.ModelWidth));
        var adapters = rank == 0 ? 0 : LayersOfOneInput * (ActivationRows.SizeBytes(rows, rank) + RowBuffer.SizeBytes(rows, widest));
        return (2 * RowBuffer.SizeBytes(rows, config.ModelWidth)) + RowBuffer.SizeBytes(rows, heads) + (2 * RowBuffer.SizeBytes(rows, keyValue))
            + (2 * RowBuffer.SizeBytes(rows, config.FeedForwardWidth)) + ActivationRows.SizeBytes(rows, config.ModelWidth) + ActivationRows.SizeBytes(rows, heads)
            + ActivationRows.SizeBytes(rows, config.FeedForwardWidth) + ActivationRows.SizeBytes(wanted, config.ModelWidth)
            + RowBuffer.SizeBytes(wanted, config.VocabularySize) + adapters
            + (2L * rows * half * sizeof(float)) + ((long)members * (config.ContextTokens + 3) * sizeof(float));
    }

    public RowBuffer Stream_RD { get; }

    public ActivationRows Normed_RD { get; }

    public RowBuffer Query_R { get; }

    public RowBuffer Key_R { get; }

    public RowBuffer Value_R { get; }

    public ActivationRows Attended_R { get; }

    public RowBuffer Result_RD { get; }

    public RowBuffer Gate_RF { get; }

    public RowBuffer Up_RF { get; }

    public ActivationRows Gated_RF { get; }

    public ActivationRows Final_WD { get; }

    public RowBuffer Logits_WV { get; }

    public static KernelBuffers Grown(KernelBuffers old, LlamaConfig config, int rows, int wanted, int rank, int members) =>
        new(config, Math.Max(rows, old._rows), Math.Max(wanted, old._wantedRows), Math.Max(rank, old._rank), members);

    public bool Holds(int rows, int wanted, int rank) => rows <= _rows && wanted <= _wantedRows && rank <= _rank;

    /// <summary>What the inner halves of adapters give, for the i-th of the layers that read the same rows. Without adapters nobody reads it.</summary>
    public ActivationRows Inner_Rr(int layer) => _rank == 0 ? Normed_RD : _inner[layer];

    /// <summary>
    /// What adapters add, for the i-th of the layers that read the same rows: a member may be at the next layer already, and its share of that one can
    /// overlap another's share of this.
    /// </summary>
    public RowBuffer Delta_R(int layer) => _delta[layer];

    public float* Cosines(int row) => _cosines.Pointer + ((long)row * _half);

    public float* Sines(int row) => _sines.Pointer + ((long)row * _half);

    public float* Scores(int member) => _scores[member].Pointer;

    /// <summary>Angles in float32, as Hugging Face computes them.</summary>
    public void SetAngles(IReadOnlyList<KernelRow> rows, float[] frequencies, float factor)
    {
        for (var row = 0; row < rows.Count; row++)
        {
            float* cosines = Cosines(row), sines = Sines(row);
            for (var i = 0; i < frequencies.Length; i++)
            {
                var angle = rows[row].Position * frequencies[i];
                cosines[i] = MathF.Cos(angle) * factor;
                sines[i] = MathF.Sin(angle) * factor;
            }
        }
    }

    public void Dispose()
    {
        foreach (var buffer in new IDisposable[]
        {
            Stream_RD, Normed_RD, Query_R, Key_R, Value_R, Attended_R, Result_RD, Gate_RF, Up_RF, Gated_RF, Final_WD, Logits_WV, _cosines, _sines,
        }.Concat(_inner).Concat(_delta).Concat(_scores))
        {
            buffer.Dispose();
        }
    }
}
