namespace InstructTune.Inference.Models;

/// <summary>
/// How much is read at once: one base, and a few adapters beside it. What is being read is in memory before it is counted, so a flood of
/// versions that nobody asked for before takes no more than this.
/// </summary>
internal sealed class LoadTurns : IDisposable
{
    public const int Adapters = 4;

    private readonly SemaphoreSlim _bases = new(1);
    private readonly SemaphoreSlim _adapters = new(Adapters);

    public async Task<IDisposable> EnterAsync(ResidentModel resident)
    {
        var turns = resident.Parent is null ? _bases : _adapters;
        await turns.WaitAsync();
        return new Turn(turns);
    }

    public void Dispose()
    {
        _bases.Dispose();
        _adapters.Dispose();
    }

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        public void Dispose() => turns.Release();
    }
}
