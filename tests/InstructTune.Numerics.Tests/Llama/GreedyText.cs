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

    /// <summary>The same for several prompts, in steps that they share.</summary>
    public static int[][] GenerateTogether(LlamaModel model, IReadOnlyList<int[]> prompts, int count)
    {
        using var scope = NewDisposeScope();
        using var cache = new KvCache(model.Config, prompts.Count, prompts.Max(p => p.Length) + count);
        var results = prompts.Select(_ => new int[count]).ToArray();
        var next = prompts.ToArray();
        for (var i = 0; i < count; i++)
        {
            using var step = NewDisposeScope();
            var position = i;
            var batch = new StepBatch([.. next.Select((ids, s) => new StepSequence(s, position == 0 ? 0 : prompts[s].Length + position - 1, ids))]);
            var hidden_RD = model.Hidden(batch, cache);
            var last_RD = hidden_RD.index_select(0, tensor([.. Enumerable.Range(0, prompts.Count).Select(s => (long)batch.LastRowOf(s))]));
            var ids = model.NextLogits(last_RD).argmax(1).data<long>().ToArray();
            for (var s = 0; s < results.Length; s++)
            {
                results[s][i] = (int)ids[s];
                next[s] = [(int)ids[s]];
            }
        }

        return results;
    }
}
