namespace InstructTune.Integration.Tests.Inference.Load;

/// <summary>Names whose content is replaced while they are asked. An answer must be of a content that the name had while the call ran.</summary>
internal sealed class ChangingNames(InferenceHost host, string[] digests)
{
    public const int Count = 4;

    private readonly Lock _lock = new();
    private readonly List<int>[] _history = [.. Enumerable.Range(0, Count).Select(_ => new List<int>())];

    public int Replacements { get; private set; }

    public static string NameOf(int index) => $"models/mine/versions/{index}";

    public void Replace(int index, int content)
    {
        lock (_lock)
        {
            // Known to be possible before it is.
            _history[index].Add(content);
            host.Registry.Put(NameOf(index), digests[content], InferenceHost.Base);
            Replacements++;
        }
    }

    public int Mark(int index)
    {
        lock (_lock)
        {
            return _history[index].Count - 1;
        }
    }

    /// <summary>What the name meant since the mark.</summary>
    public int[] Since(int index, int mark)
    {
        lock (_lock)
        {
            return [.. _history[index].Skip(mark).Distinct()];
        }
    }
}
