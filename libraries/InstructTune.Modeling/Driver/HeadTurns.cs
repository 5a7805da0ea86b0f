// Shape letters in this file:
//   R rows   O query, key and value widths together   H head width

using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>What becomes of queries and keys before attention: norms of heads where the family has them, and the angles of their positions.</summary>
internal sealed class HeadTurns(MicroBatchContext context, LayerParts parts)
{
    private readonly NormStep? _queryNorm = NormOf(context, parts.QueryNorm_H);
    private readonly NormStep? _keyNorm = NormOf(context, parts.KeyNorm_H);

    /// <summary>In place. Returns queries to values as they were, where the way back needs them.</summary>
    public Tensor? Forward(Tensor qkv_RO)
    {
        Tensor? raw_RO = null;
        if (_queryNorm is not null)
        {
            raw_RO = context.Arena.Take(qkv_RO.size(0), qkv_RO.size(1));
            raw_RO.copy_(qkv_RO);
            var (from, to) = (RowSpan.Of(raw_RO), RowSpan.Of(qkv_RO));
            foreach (var (norm, head) in Heads())
            {
                norm.Forward(HeadOf(from, head), HeadOf(to, head));
            }
        }

        Turn(qkv_RO, back: false);
        return raw_RO;
    }

    /// <summary>Gradients, in place.</summary>
    public void Backward(Tensor gradient_RO, Tensor? raw_RO)
    {
        Turn(gradient_RO, back: true);
        if (raw_RO is null)
        {
            return;
        }

        var (gradient, raw) = (RowSpan.Of(gradient_RO), RowSpan.Of(raw_RO));
        foreach (var (norm, head) in Heads())
        {
            norm.Backward(HeadOf(gradient, head), HeadOf(raw, head), HeadOf(gradient, head), adds: false, context.Scratch.NormSums);
        }
    }

    private static NormStep? NormOf(MicroBatchContext context, Tensor? weight_H) =>
        weight_H is null ? null : new NormStep(weight_H, context.Config.NormEpsilon, context.Gradients);

    private IEnumerable<(NormStep Norm, int Head)> Heads()
    {
        var config = context.Config;
        for (var head = 0; head < config.QueryHeads + config.KeyValueHeads; head++)
        {
            yield return (head < config.QueryHeads ? _queryNorm! : _keyNorm!, head);
        }
    }

    private RowSpan HeadOf(RowSpan rows, int head) => rows.Slice(head * context.Config.HeadWidth, context.Config.HeadWidth);

    private void Turn(Tensor x_RO, bool back) => RotaryRows.Turn(
        RowSpan.Of(x_RO), context.Config.QueryHeads + context.Config.KeyValueHeads,
        RowSpan.Of(context.Places.Cos_PH), RowSpan.Of(context.Places.Sin_PH), back);
}
