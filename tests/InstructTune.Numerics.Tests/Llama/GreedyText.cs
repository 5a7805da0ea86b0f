using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Llama;

/// <summary>The most likely tokens, one step at a time over the cache.</summary>
internal static class GreedyText
{
    public static int[] Generate(LlamaModel model, int[] prompt, int count)
    {
        using var scope = NewDisposeScope();
        using var cache = new KvCache(model.Config, 1, prompt.Length + count);
        var result = new int[count];
        var next = prompt;
        var cached = 0;
        for (var i = 0; i < count; i++)
        {
            using var step = NewDisposeScope();
            var batch = new StepBatch([new StepSequence(0, cached, next)]);
            var hidden_RD = model.Hidden(batch, cache);
            result[i] = (int)model.Logits(hidden_RD.narrow(0, batch.LastRowOf(0), 1)).argmax(1).item<long>();
            cached += next.Length;
            next = [result[i]];
        }

        return result;
    }
}
