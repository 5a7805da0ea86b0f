using InstructTune.Inference.Models;
using InstructTune.Modeling.Numerics;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Engine;

/// <summary>Owns the bases of the process's engine. All of its members are called on the engine's thread.</summary>
internal sealed class LlamaRunner(IOptions<TorchOptions> options, IOptions<InferenceOptions> inference) : IModelRunner
{
    private readonly Dictionary<string, LoadedBase> _bases = new(StringComparer.Ordinal);

    public void Start()
    {
        // Our own kernels have their team, and libtorch is not even loaded.
        if (options.Value.Threads > 0 && inference.Value.Form.UsesLibtorch)
        {
            TorchThreads.Pin(options.Value.Threads);
        }
    }

    public void AddBase(string key, LoadedBase loaded) => _bases.Add(key, loaded);

    public void RemoveBase(string key)
    {
        if (_bases.Remove(key, out var loaded))
        {
            loaded.Dispose();
        }
    }

    public void AddAdapter(string baseKey, string key, LoadedAdapter adapter) => _bases[baseKey].AddAdapter(key, adapter);

    /// <summary>Nothing when the base is gone: its adapters went with it, and two who make room at once come in any order.</summary>
    public void RemoveAdapter(string baseKey, string key) => _bases.GetValueOrDefault(baseKey)?.RemoveAdapter(key);

    public void Prepare(StepPlan plan)
    {
        foreach (var edit in plan.Edits)
        {
            _bases[plan.BaseKey].Edit(edit);
        }
    }

    public IReadOnlyList<ChunkOutput> Run(StepPlan plan) => _bases[plan.BaseKey].Run(plan.Chunks);

    public void Stop()
    {
        foreach (var key in _bases.Keys.ToArray())
        {
            RemoveBase(key);
        }
    }
}
