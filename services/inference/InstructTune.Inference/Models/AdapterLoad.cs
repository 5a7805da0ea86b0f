namespace InstructTune.Inference.Models;

/// <summary>An adapter that was read, to be given away.</summary>
internal sealed class AdapterLoad(LoadedAdapter adapter, ModelContent baseContent, Func<LoadedAdapter, Task> handOver) : IModelLoad
{
    private bool _isOurs = true;

    public long SizeBytes { get; } = adapter.SizeBytes;

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
