// Shape letters in this file:
//   R rows of the step   W rows whose logits are wanted   D model width   F feed-forward width   V vocabulary
//   N query heads   K key/value heads   H width of one head

using InstructTune.Kernels;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Serving;

/// <summary>
/// Steps of a <see cref="KernelLlama"/>. All members of the team run the same code on their shares and meet between phases. Buffers are kept
/// from step to step; a step allocates nothing once they have grown. One thread calls it.
/// </summary>
public sealed unsafe class KernelPass : IDisposable
{
    /// <summary>Rows whose logits are in memory at once: with a large vocabulary those of a whole step would take more than the step.</summary>
    public const int LogitRows = 64;

    private readonly KernelLlama _model;
    private readonly LlamaConfig _config;
    private readonly KernelCache _cache;
    private readonly Team _team;
    private readonly Action<int> _forward;
    private readonly Action<int> _head;
    private KernelBuffers _buffers;
    private IReadOnlyList<KernelRow> _rows = [];
    private KernelAdapterStep _adapters = new([]);
    private int[] _wanted = [];

    /// <summary>Which of the blocks of <see cref="LogitRows"/> wanted rows has its logits in memory.</summary>
    private int _block;

    /// <summary>Steps over that cache.</summary>
    /// <param name="model">The model.</param>
    /// <param name="cache">Its cache.</param>
    /// <param name="team">Who computes.</param>
    /// <param name="rows">The most rows that a step is to have: room for them is made now.</param>
    /// <param name="rank">The highest rank of adapters that are expected; higher ones make room when they come.</param>
    public KernelPass(KernelLlama model, KernelCache cache, Team team, int rows = 1, int rank = 0)
    {
        (_model, _config, _cache, _team) = (model, model.Config, cache, team);
        _buffers = new KernelBuffers(model.Config, rows, Math.Min(LogitRows, rows), rank, team.Size);
        (_forward, _head) = (Forward, Head);
    }

    /// <summary>Bytes that the constructor takes.</summary>
    public static long SizeBytes(LlamaConfig config, int rows, int rank, int members) => KernelBuffers.SizeBytes(config, rows, Math.Min(LogitRows, rows), rank, members);

    /// <summary>
    /// Computes the rows and writes their keys and values. Rows of one sequence follow each other in ascending order. Returns the number of wanted
    /// rows; their logits are read with <see cref="Logits"/>, in order, until the next step.
    /// </summary>
    public int Run(IReadOnlyList<KernelRow> rows, IReadOnlyList<AdapterRun> adapters)
    {
        (_rows, _adapters) = (rows, new KernelAdapterStep(adapters));
        _wanted = [.. Enumerable.Range(0, rows.Count).Where(row => rows[row].WantsLogits)];
        _block = 0;
        var logits = Math.Min(LogitRows, _wanted.Length);
        if (!_buffers.Holds(rows.Count, logits, _adapters.Rank))
        {
            var grown = KernelBuffers.Grown(_buffers, _config, rows.Count, logits, _adapters.Rank, _team.Size);
            _buffers.Dispose();
            _buffers = grown;
        }

        _buffers.SetAngles(rows, _model.Frequencies, _model.RotaryFactor);
        _team.Run(_forward);
        return _wanted.Length;
    }

    /// <summary>Logits of the i-th wanted row of the last step, valid until those of another block of <see cref="LogitRows"/> are read.</summary>
    public ReadOnlySpan<float> Logits(int wanted)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(wanted, _wanted.Length);
        if (wanted / LogitRows != _block)
        {
            _block = wanted / LogitRows;
            _team.Run(_head);
        }

        return new(_buffers.Logits_WV.Row(wanted % LogitRows), _config.VocabularySize);
    }

    /// <inheritdoc/>
    public void Dispose() => _buffers.Dispose();

    private void Forward(int member)
    {
        var own = Share.Of(_rows.Count, member, _team.Size);
        for (var row = own.From; row < own.To; row++)
        {
            _model.Embedding.ReadRow(_rows[row].Id, new Span<float>(_buffers.Stream_RD.Row(row), _config.ModelWidth));
        }

        for (var layer = 0; layer < _model.Layers.Count; layer++)
        {
            Attend(_model.Layers[layer], layer, member, own);
            FeedForward(_model.Layers[layer], member, own);
        }

        Head(member);
    }

    private void Attend(KernelLayer layer, int index, int member, Share own)
    {
        Norm(layer.AttentionNorm, own);
        Project(member, _buffers.Normed_RD, (layer.Query, _buffers.Query_R), (layer.Key, _buffers.Key_R), (layer.Value, _buffers.Value_R));
        _team.Sync();
        for (var row = own.From; row < own.To; row++)
        {
            Turn(layer, row);
            Remember(index, row);
        }

        _team.Sync();

        // In turns: later rows of a prompt see more tokens, so halves would be unequal.
        for (var unit = member; unit < _rows.Count * _config.KeyValueHeads; unit += _team.Size)
        {
            AttendHead(index, unit / _config.KeyValueHeads, unit % _config.KeyValueHeads, member);
        }

        _team.Sync();
        Quantize(_buffers.Attended_R, own);
        Project(member, _buffers.Attended_R, (layer.AttentionOutput, _buffers.Result_RD));
        AddToStream(layer.AttentionOutput, member);
        _team.Sync();
    }

    private void FeedForward(KernelLayer layer, int member, Share own)
    {
        Norm(layer.FeedForwardNorm, own);
        Project(member, _buffers.Normed_RD, (layer.Gate, _buffers.Gate_RF), (layer.Up, _buffers.Up_RF));
        _team.Sync();
        for (var row = own.From; row < own.To; row++)
        {
            RowMath.SwiGlu(_buffers.Gate_RF.Row(row), _buffers.Up_RF.Row(row), _buffers.Gated_RF.Row(row), _config.FeedForwardWidth);
        }

        Quantize(_buffers.Gated_RF, own);
        Project(member, _buffers.Gated_RF, (layer.Down, _buffers.Result_RD));
        AddToStream(layer.Down, member);
        _team.Sync();
    }

    private void Head(int member)
    {
        var rows = _wanted.AsSpan(_block * LogitRows);
        rows = rows[..Math.Min(LogitRows, rows.Length)];
        var own = Share.Of(rows.Length, member, _team.Size);
        for (var i = own.From; i < own.To; i++)
        {
            RowMath.RmsNorm(
                _buffers.Stream_RD.Row(rows[i]), _model.Norm.Pointer, _buffers.Final_WD.Row(i), _config.ModelWidth, (float)_config.NormEpsilon);
        }

        Quantize(_buffers.Final_WD, own);
        _model.Head.Multiply(
            _buffers.Final_WD, new Share(0, rows.Length), _buffers.Logits_WV.Row(0), _buffers.Logits_WV.Stride,
            Share.Of(_model.Head.Outputs, member, _team.Size, KernelMatrix.GroupOutputs));
    }

    private void Norm(AlignedBuffer<float> weight, Share own)
    {
        for (var row = own.From; row < own.To; row++)
        {
            RowMath.RmsNorm(_buffers.Stream_RD.Row(row), weight.Pointer, _buffers.Normed_RD.Row(row), _config.ModelWidth, (float)_config.NormEpsilon);
        }

        Quantize(_buffers.Normed_RD, own);
    }

    private void Quantize(ActivationRows x, Share rows)
    {
        if (_model.ReadsCodes)
        {
            x.Quantize(rows.From, rows.To);
        }

        _team.Sync();
    }

    /// <summary>Shares of linear layers that read the same rows, with what the adapters of the rows do to them.</summary>
    private void Project(int member, ActivationRows x, params ReadOnlySpan<(KernelLinear Linear, RowBuffer Y)> layers)
    {
        for (var i = 0; i < layers.Length; i++)
        {
            layers[i].Linear.Multiply(x, _rows.Count, layers[i].Y, layers[i].Linear.ShareOf(member, _team.Size));
            _adapters.ShareInner(layers[i].Linear, x, _buffers.Inner_Rr(i), member, _team.Size);
        }

        if (!_adapters.IsEmpty)
        {
            _team.Sync();
        }

        for (var i = 0; i < layers.Length; i++)
        {
            var outputs = layers[i].Linear.ShareOf(member, _team.Size);
            if (!_adapters.IsEmpty)
            {
                _adapters.AddTo(layers[i].Linear, layers[i].Y, _buffers.Inner_Rr(i), _buffers.Delta_R(i), outputs);
            }

            layers[i].Linear.AddBias(_rows.Count, layers[i].Y, outputs);
        }
    }

    private void AddToStream(KernelLinear linear, int member)
    {
        var outputs = linear.ShareOf(member, _team.Size);
        for (var row = 0; row < _rows.Count; row++)
        {
            RowMath.Add(_buffers.Result_RD.Row(row) + outputs.From, _buffers.Stream_RD.Row(row) + outputs.From, outputs.To - outputs.From);
        }
    }

    private void Turn(KernelLayer layer, int row)
    {
        TurnHeads(_buffers.Query_R.Row(row), _config.QueryHeads, layer.QueryNorm, row);
        TurnHeads(_buffers.Key_R.Row(row), _config.KeyValueHeads, layer.KeyNorm, row);
    }

    private void TurnHeads(float* heads, int count, AlignedBuffer<float>? norm, int row)
    {
        for (var head = 0; head < count; head++)
        {
            var x = heads + (head * _config.HeadWidth);
            if (norm is not null)
            {
                RowMath.RmsNorm(x, norm.Pointer, x, _config.HeadWidth, (float)_config.NormEpsilon);
            }

            RowMath.Rotate(x, _buffers.Cosines(row), _buffers.Sines(row), _config.HeadWidth / 2);
        }
    }

    private void Remember(int layer, int row)
    {
        var place = _rows[row].FirstPlace + _rows[row].Token;
        var bytes = (long)_config.HeadWidth * sizeof(float);
        for (var head = 0; head < _config.KeyValueHeads; head++)
        {
            var at = head * _config.HeadWidth;
            Buffer.MemoryCopy(_buffers.Key_R.Row(row) + at, _cache.Key(layer, head, place), bytes, bytes);
            Buffer.MemoryCopy(_buffers.Value_R.Row(row) + at, _cache.Value(layer, head, place), bytes, bytes);
        }
    }

    private void AttendHead(int layer, int row, int head, int member)
    {
        var token = _rows[row].Token;
        var first = _config.WindowOf(layer) is { } window ? Math.Max(0, token - window + 1) : 0;
        var place = _rows[row].FirstPlace + first;
        var at = head * _config.GroupSize * _config.HeadWidth;
        Attention.Attend(
            _buffers.Query_R.Row(row) + at, _cache.Key(layer, head, place), _cache.Value(layer, head, place), token - first + 1, _config.GroupSize,
            _config.HeadWidth, 1 / MathF.Sqrt(_config.HeadWidth), _buffers.Scores(member), _buffers.Attended_R.Row(row) + at);
    }
}
