// Shape letters in this file:
//   R rows   D model width   N query heads   O query, key and value widths together   C query heads' width   G gate and up widths

using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>
/// A layer by products of libtorch into memory of ours and kernels of our own between them. It keeps its input, queries to values, what was attended
/// to, the stream between its halves, and gate and up; norms and the gated product are computed again.
/// </summary>
internal sealed class FusedLayer : ILayerStep
{
    private readonly MicroBatchContext _context;
    private readonly LayerParts _parts;
    private readonly GroupStep _queryKeyValue;
    private readonly GroupStep _attentionOutput;
    private readonly GroupStep _gateUp;
    private readonly GroupStep _down;
    private readonly NormStep _attentionNorm;
    private readonly NormStep _feedForwardNorm;
    private readonly HeadTurns _turns;
    private readonly AttentionStep _attention;
    private Kept? _kept;

    public FusedLayer(MicroBatchContext context, LayerParts parts, AttentionStep attention)
    {
        (_context, _parts, _attention) = (context, parts, attention);
        (_queryKeyValue, _attentionOutput) = (Group(parts.QueryKeyValue), Group(parts.AttentionOutput));
        (_gateUp, _down) = (Group(parts.GateUp), Group(parts.Down));
        _attentionNorm = new NormStep(parts.AttentionNorm_D, context.Config.NormEpsilon, context.Gradients);
        _feedForwardNorm = new NormStep(parts.FeedForwardNorm_D, context.Config.NormEpsilon, context.Gradients);
        _turns = new HeadTurns(context, parts);

        GroupStep Group(ProjectionGroup group) => new(group, context.Adapter, context.Dropout, context.Gradients, context.Working);
    }

    public bool IsTrained => _queryKeyValue.IsTrained || _attentionOutput.IsTrained || _gateUp.IsTrained || _down.IsTrained
        || _parts.Norms.Any(norm => norm.requires_grad);

    private Arena Arena => _context.Arena;

    private LayerScratch Scratch => _context.Scratch;

    public void Forward(Tensor x_RD, Tensor y_RD, bool keeps)
    {
        var mark = Arena.Mark;
        using var scope = NewDisposeScope();
        var kept = Run(x_RD);
        y_RD.copy_(kept.Middle_RD);
        kept = kept with { DownInner = _down.Forward(Scratch.Gated_RF, y_RD, adds: true, Arena) };
        if (keeps)
        {
            foreach (var tensor in kept.Tensors)
            {
                tensor.MoveToOuterDisposeScope();
            }

            _kept = kept;
        }
        else
        {
            Arena.Release(mark);
        }
    }

    public void Backward(Tensor x_RD, Tensor gradient_RD, bool goesOn)
    {
        using var scope = NewDisposeScope();
        var mark = Arena.Mark;
        var kept = _kept ?? Again(x_RD);
        _kept = null;
        FeedForwardBack(kept, gradient_RD);
        AttentionBack(kept, x_RD, gradient_RD, goesOn);
        Arena.Release(mark);
    }

    // All but the last product, whose input stays in the scratch memory.
    private Kept Run(Tensor x_RD)
    {
        var (rows, config) = (x_RD.size(0), _context.Config);
        var normed = RowSpan.Of(Scratch.Normed_RD);
        _attentionNorm.Forward(RowSpan.Of(x_RD), normed);
        var qkv_RO = Arena.Take(rows, _queryKeyValue.Outputs);
        var inner = _queryKeyValue.Forward(Scratch.Normed_RD, qkv_RO, adds: false, Arena);
        var raw_RO = _turns.Forward(qkv_RO);
        var attended_RC = Arena.Take(rows, (long)config.QueryHeads * config.HeadWidth);
        var sums_RN = Arena.Take(rows, config.QueryHeads);
        _attention.Forward(_parts.Layer, qkv_RO, attended_RC, sums_RN);
        var middle_RD = Arena.Take(rows, config.ModelWidth);
        middle_RD.copy_(x_RD);
        var outputInner = _attentionOutput.Forward(attended_RC, middle_RD, adds: true, Arena);
        _feedForwardNorm.Forward(RowSpan.Of(middle_RD), normed);
        var gateUp_RG = Arena.Take(rows, _gateUp.Outputs);
        var gateInner = _gateUp.Forward(Scratch.Normed_RD, gateUp_RG, adds: false, Arena);
        GateRows.Forward(RowSpan.Of(gateUp_RG), RowSpan.Of(Scratch.Gated_RF));
        return new Kept(qkv_RO, raw_RO, attended_RC, sums_RN, middle_RD, gateUp_RG) { Inner = inner, OutputInner = outputInner, GateInner = gateInner };
    }

    private Kept Again(Tensor x_RD)
    {
        var kept = Run(x_RD);
        if (_down.RankSum == 0)
        {
            return kept;
        }

        // Only the adapter's inner product is needed; the sum goes where the next thing to come is a gradient.
        return kept with { DownInner = _down.Forward(Scratch.Gated_RF, Scratch.NormedGradient_RD, adds: false, Arena) };
    }

    private void FeedForwardBack(Kept kept, Tensor gradient_RD)
    {
        var outer = _down.BackInput(gradient_RD, Scratch.GatedGradient_RF, Arena);
        GateRows.Backward(RowSpan.Of(kept.GateUp_RG), RowSpan.Of(Scratch.GatedGradient_RF), RowSpan.Of(Scratch.Gated_RF));
        _down.BackWeights(gradient_RD, Scratch.Gated_RF, kept.DownInner, outer);
        var (middle, normed) = (RowSpan.Of(kept.Middle_RD), RowSpan.Of(Scratch.Normed_RD));
        outer = _gateUp.BackInput(kept.GateUp_RG, Scratch.NormedGradient_RD, Arena);
        if (_gateUp.IsTrained)
        {
            _feedForwardNorm.Forward(middle, normed);
            _gateUp.BackWeights(kept.GateUp_RG, Scratch.Normed_RD, kept.GateInner, outer);
        }

        _feedForwardNorm.Backward(RowSpan.Of(Scratch.NormedGradient_RD), middle, RowSpan.Of(gradient_RD), adds: true, Scratch.NormSums);
    }

    private void AttentionBack(Kept kept, Tensor x_RD, Tensor gradient_RD, bool goesOn)
    {
        var outer = _attentionOutput.BackInput(gradient_RD, Scratch.AttendedGradient_RC, Arena);
        _attentionOutput.BackWeights(gradient_RD, kept.Attended_RC, kept.OutputInner, outer);
        _attention.Backward(_parts.Layer, Scratch.AttendedGradient_RC, kept.Attended_RC, kept.QueryKeyValue_RO, kept.Sums_RN);
        _turns.Backward(kept.QueryKeyValue_RO, kept.Raw_RO);
        var isWanted = goesOn || _attentionNorm.IsTrained;
        outer = _queryKeyValue.BackInput(kept.QueryKeyValue_RO, isWanted ? Scratch.NormedGradient_RD : null, Arena);
        var (x, normed) = (RowSpan.Of(x_RD), RowSpan.Of(Scratch.Normed_RD));
        if (_queryKeyValue.IsTrained)
        {
            _attentionNorm.Forward(x, normed);
            _queryKeyValue.BackWeights(kept.QueryKeyValue_RO, Scratch.Normed_RD, kept.Inner, outer);
        }

        if (isWanted)
        {
            _attentionNorm.Backward(RowSpan.Of(Scratch.NormedGradient_RD), x, RowSpan.Of(gradient_RD), adds: true, Scratch.NormSums);
        }
    }

    private sealed record Kept(Tensor QueryKeyValue_RO, Tensor? Raw_RO, Tensor Attended_RC, Tensor Sums_RN, Tensor Middle_RD, Tensor GateUp_RG)
    {
        public Tensor? Inner { get; init; }

        public Tensor? OutputInner { get; init; }

        public Tensor? GateInner { get; init; }

        public Tensor? DownInner { get; init; }

        public IEnumerable<Tensor> Tensors =>
            new[] { QueryKeyValue_RO, Raw_RO, Attended_RC, Sums_RN, Middle_RD, GateUp_RG, Inner, OutputInner, GateInner, DownInner }.OfType<Tensor>();
    }
}
