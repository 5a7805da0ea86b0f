namespace InstructTune.Inference.Models;

/// <summary>A base or an adapter in memory, or on its way there. Guarded by the lock of <see cref="ModelResidency"/>.</summary>
internal sealed class ResidentModel(string sha256, string key, ResidentModel? parent, WeightForm form)
{
    public string Sha256 => sha256;

    /// <summary>Unique to this load: what is loaded again has another key.</summary>
    public string Key => key;

    /// <summary>The base of an adapter.</summary>
    public ResidentModel? Parent => parent;

    /// <summary>Of an adapter, its base's.</summary>
    public WeightForm Form => form;

    /// <summary>Requests that use it, and the load itself.</summary>
    public int Users { get; set; }

    /// <summary>Of its last use, counted over all: larger for what was used later, also within a tick of the clock.</summary>
    public long UseNumber { get; set; }

    /// <summary>Time stamp of its last use.</summary>
    public long LastUseTime { get; set; }

    /// <summary>Never evicted.</summary>
    public bool IsPinned { get; set; }

    public long SizeBytes { get; set; }

    /// <summary>The versions that were asked for under this content.</summary>
    public SortedSet<string> Names { get; } = new(StringComparer.Ordinal);

    public TaskCompletionSource<ModelContent> Loaded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
