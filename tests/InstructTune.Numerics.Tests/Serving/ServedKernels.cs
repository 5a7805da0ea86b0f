using InstructTune.Kernels;
using InstructTune.Modeling.Serving;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Serving;

/// <summary>A model folder on the kernels, with room for some sequences of 512 tokens.</summary>
internal sealed class ServedKernels : IDisposable
{
    public const int Capacity = 512;

    private readonly Team _team;
    private readonly KernelCache _cache;

    public ServedKernels(string folder, WeightFormat format, int sequences = 8, int threads = 2, bool pinned = false)
        : this(KernelModelFolder.Load(folder, format), sequences, threads, pinned)
    {
    }

    /// <summary>Takes the model over.</summary>
    public ServedKernels(KernelLlama model, int sequences = 8, int threads = 2, bool pinned = false)
    {
        Model = model;
        _team = new Team(threads, pinned);
        _cache = new KernelCache(Model.Config, (long)sequences * Capacity);
        Pass = new KernelPass(Model, _cache, _team);
    }

    public KernelLlama Model { get; }

    public KernelPass Pass { get; }

    /// <summary>The logits after every token of one sequence, in one step.</summary>
    public Tensor Logits(IReadOnlyList<int> ids, IReadOnlyList<int> positions)
    {
        var count = Pass.Run([.. ids.Select((id, i) => new KernelRow(id, i, 0, WantsLogits: true) { GivenPosition = positions[i] })], []);
        return tensor([.. Enumerable.Range(0, count).SelectMany(i => Pass.Logits(i).ToArray())], [count, Model.Config.VocabularySize]);
    }

    /// <summary>Rows of one sequence that has a slot of its own.</summary>
    public static IEnumerable<KernelRow> Rows(int slot, IReadOnlyList<int> ids, int from = 0) =>
        ids.Select((id, i) => new KernelRow(id, from + i, (long)slot * Capacity, WantsLogits: true));

    /// <summary>The bits of all logits of a step.</summary>
    public float[][] Bits(IReadOnlyList<KernelRow> rows, params AdapterRun[] adapters)
    {
        var count = Pass.Run(rows, adapters);
        return [.. Enumerable.Range(0, count).Select(i => Pass.Logits(i).ToArray())];
    }

    public void Dispose()
    {
        Pass.Dispose();
        _cache.Dispose();
        _team.Dispose();
        Model.Dispose();
    }
}
