using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Generation;

/// <summary>The most likely answers of a model to prompts, a few at a time: what validation in training asks for. Serving has a scheduler of its own.</summary>
public static class GreedyAnswers
{
    private const int SlotCount = 16;

    /// <summary>The ids of each answer, without what ended it.</summary>
    /// <param name="model">The model; it may be one in training.</param>
    /// <param name="adapter">An adapter over it, which may be in training too.</param>
    /// <param name="prompts">Their ids; at least one each.</param>
    /// <param name="endIds">Any of these ends an answer.</param>
    /// <param name="maxTokens">As does this length, and the model's context.</param>
    /// <param name="stepped">Called after every step over the device.</param>
    public static IReadOnlyList<int[]> Run(
        LlamaModel model, LoraAdapter? adapter, IReadOnlyList<int[]> prompts, IReadOnlyCollection<int> endIds, int maxTokens, Action? stepped = null)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var bank = adapter is null ? null : new AdapterBank(model.Config, 1, adapter.Modules.Values.Max(module => module.Rank));
        bank?.Load(0, adapter!.AsOrdinary(), model);
        var answers = new List<int[]>();
        foreach (var group in prompts.Chunk(SlotCount))
        {
            var capacity = Math.Min(model.Config.ContextTokens, group.Max(prompt => prompt.Length) + maxTokens);
            using var cache = new KvCache(model.Config, group.Length, capacity);
            var running = group.Select((prompt, slot) => new Running(slot, prompt, Math.Min(maxTokens, model.Config.ContextTokens - prompt.Length))).ToArray();
            while (running.Any(answer => !answer.IsOver))
            {
                Step(model, bank, cache, [.. running.Where(answer => !answer.IsOver)], endIds);
                stepped?.Invoke();
            }

            answers.AddRange(running.Select(answer => answer.Ids.ToArray()));
        }

        return answers;
    }

    private static void Step(LlamaModel model, AdapterBank? bank, KvCache cache, Running[] running, IReadOnlyCollection<int> endIds)
    {
        using var scope = NewDisposeScope();
        var batch = new StepBatch([.. running.Select(answer => new StepSequence(answer.Slot, answer.CachedTokens, answer.Next, bank is null ? null : 0))]);
        var hidden_RD = model.Hidden(batch, cache, bank);
        var last = running.Select((_, i) => (long)batch.LastRowOf(i)).ToArray();
        var chosen = model.NextLogits(hidden_RD.index_select(0, tensor(last))).argmax(1);
        for (var i = 0; i < running.Length; i++)
        {
            running[i].Take((int)chosen[i].item<long>(), endIds);
        }
    }

    private sealed class Running(int slot, int[] prompt, int maxTokens)
    {
        public int Slot => slot;

        public int CachedTokens { get; private set; }

        public int[] Next { get; private set; } = prompt;

        public List<int> Ids { get; } = [];

        public bool IsOver { get; private set; } = maxTokens < 1;

        public void Take(int id, IReadOnlyCollection<int> endIds)
        {
            CachedTokens += Next.Length;
            if (endIds.Contains(id))
            {
                IsOver = true;
                return;
            }

            Ids.Add(id);
            Next = [id];
            IsOver = Ids.Count == maxTokens;
        }
    }
}
