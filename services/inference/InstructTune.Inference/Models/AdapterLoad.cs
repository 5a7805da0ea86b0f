using InstructTune.Modeling.Adapters;

namespace InstructTune.Inference.Models;

/// <summary>An adapter that was read, to be given away.</summary>
internal sealed class AdapterLoad(LoraAdapter adapter, ModelContent baseContent, Func<LoraAdapter, Task> handOver) : IModelLoad
{
    private bool _isOurs = true;

    /// <summary>The adapter, and the copy that the bank keeps.</summary>
    public long SizeBytes { get; } = 2 * adapter.ParameterCount * sizeof(float);

    public async Task<ModelContent> RunAsync()
    {
        await handOver(adapter);
        _isOurs = false;
        return baseContent;
    }

    public void Dispose()
    {
        if (_isOurs)
        {
            adapter.Dispose();
        }
    }
}
