// Shape letters in this file:
//   B batch   T tokens   R = B * T rows   S rows with a label   D model width

using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>
/// Forward and backward passes of a micro-batch, layer by layer and without a graph over them. What it keeps, and when it lets go of it, is decided
/// here; its memory stays from step to step. One thread owns it.
/// </summary>
internal sealed class LayerDriver(LlamaModel model) : IDisposable
{
    private readonly Arena _arena = new();
    private readonly Gradients _gradients = new();

    /// <summary>Bytes of what is kept between the passes.</summary>
    public long ArenaBytes => _arena.CapacityBytes;

    public double Run(PaddedBatch batch, long stepTrainedTokens, BackwardSettings settings)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        settings.Entered?.Invoke(StepPhase.Forward);
        _arena.Reset();
        using var places = new BatchPlaces(batch.Ids_BT, batch.Placement, model.Rotary);
        var dropout = settings.Dropout is { } seed ? new RowSeeds(seed, batch.Place.FirstRow, places.Tokens) : null;
        var context = new MicroBatchContext(
            model.Config, places, _arena, _gradients, new LayerScratch(model.Config, _arena, places.Rows), settings.Adapter, dropout, settings.Working);
        using var stack = new LayerStack(model, context, settings.RecomputesLayers);
        var ids_R = batch.Ids_BT.reshape(-1);
        var last_RD = stack.Forward(ids_R, settings.Noise, batch.Place);

        settings.Entered?.Invoke(StepPhase.Backward);
        var (sum, gradient_RD) = Loss(last_RD, batch, stepTrainedTokens, settings, context);
        stack.Backward(ids_R, gradient_RD);
        _arena.Reset();
        return sum;
    }

    public void Dispose()
    {
        _arena.Dispose();
        _gradients.Dispose();
    }

    // The last norm, for rows with a label only, then head and loss; the result is the gradient of the stream.
    private (double Sum, Tensor Gradient_RD) Loss(
        Tensor last_RD, PaddedBatch batch, long stepTrainedTokens, BackwardSettings settings, MicroBatchContext context)
    {
        var gradient_RD = _arena.Take(last_RD.size(0), last_RD.size(1));
        var mark = _arena.Mark;
        using var scope = NewDisposeScope();
        var rows = (long)batch.TrainedTokenCount;
        var (stream_SD, hidden_SD, gradient_SD) = (Take(), Take(), Take());
        stream_SD.copy_(last_RD.index_select(0, batch.TrainedRows_R));
        var norm = new NormStep(model.FinalNorm_D, model.Config.NormEpsilon, _gradients);
        norm.Forward(RowSpan.Of(stream_SD), RowSpan.Of(hidden_SD));
        var sum = settings.Adapter?.ChangesHead == true
            ? GraphLoss(hidden_SD, batch, gradient_SD, stepTrainedTokens, context)
            : new HeadStep(model.OutputHead.Weight, _arena, _gradients, settings.Working).Run(hidden_SD, batch, gradient_SD, stepTrainedTokens);
        norm.Backward(RowSpan.Of(gradient_SD), RowSpan.Of(stream_SD), RowSpan.Of(gradient_SD), adds: false, context.Scratch.NormSums);
        gradient_RD.zero_();
        gradient_RD.index_copy_(0, batch.TrainedRows_R, gradient_SD);
        _arena.Release(mark);
        return (sum, gradient_RD);

        Tensor Take() => _arena.Take(rows, model.Config.ModelWidth);
    }

    private double GraphLoss(Tensor hidden_SD, PaddedBatch batch, Tensor gradient_SD, long stepTrainedTokens, MicroBatchContext context)
    {
        using var graph = enable_grad();
        return ResponseLoss.BackwardOfRows(
            hidden_SD, batch.Labels_R, (rows_CD, first) => model.Logits(rows_CD, context.Adapter, batch.SeedsOf(context.Dropout, first, rows_CD.size(0))),
            model.Config.VocabularySize, stepTrainedTokens, gradient_SD);
    }
}
