using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>Rows of the reference input through the serving way in, each with its own adapter.</summary>
internal static class MixedRows
{
    public static Tensor Serve(LlamaModel model, AdapterBank bank, int?[] adapters, int firstRow = 0)
    {
        using var scope = NewDisposeScope();
        var ids_BT = ReferenceAdapter.Ids;
        var length = (int)ids_BT.size(1);
        using var cache = new KvCache(model.Config, adapters.Length, length);
        var sequences = adapters.Select((adapter, i) =>
            new StepSequence(i, 0, ids_BT[firstRow + i].data<long>().Select(id => (int)id).ToArray(), adapter));
        var logits_RV = model.Logits(model.Hidden(new StepBatch([.. sequences]), cache, bank));
        return logits_RV.view(adapters.Length, length, -1).MoveToOuterDisposeScope();
    }
}
