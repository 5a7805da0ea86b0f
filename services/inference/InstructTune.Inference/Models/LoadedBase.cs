using InstructTune.Inference.Engine;

namespace InstructTune.Inference.Models;

/// <summary>
/// A base in memory with its cache and its adapters. Made by one thread and then given to the engine's; whoever gives it away never touches
/// it again.
/// </summary>
internal abstract class LoadedBase : IDisposable
{
    /// <summary>Reads an adapter of this base. Any thread may call it while the base lives: it reads only what no step changes.</summary>
    public abstract LoadedAdapter ReadAdapter(string folder, Action<string> warn);

    /// <summary>Takes over an adapter that <see cref="ReadAdapter"/> gave.</summary>
    public abstract void AddAdapter(string key, LoadedAdapter adapter);

    public abstract void RemoveAdapter(string key);

    public void Edit(CacheEdit edit)
    {
        for (var i = 0; i < edit.Blocks; i++)
        {
            // Away from where the copy goes, or it would read what it has just written.
            var block = edit.To < edit.From ? i : edit.Blocks - 1 - i;
            if (edit.IsClear)
            {
                ClearBlock(edit.To + block);
            }
            else
            {
                CopyBlock(edit.From + block, edit.To + block);
            }
        }
    }

    /// <summary>One output per chunk, in their order. What it returns is valid until the next call.</summary>
    public abstract IReadOnlyList<ChunkOutput> Run(IReadOnlyList<Chunk> chunks);

    public abstract void Dispose();

    protected abstract void CopyBlock(int from, int to);

    protected abstract void ClearBlock(int block);
}
