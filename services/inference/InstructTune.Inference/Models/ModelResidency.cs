using InstructTune.Inference.Requests;
using InstructTune.Modeling.Serving;

namespace InstructTune.Inference.Models;

/// <summary>
/// Which contents are in memory, who uses them, and what leaves to make room: the least recently used that nobody uses, a base only
/// together with its adapters. Counts bytes; loads and frees nothing itself.
/// </summary>
internal sealed class ModelResidency(long ceilingBytes)
{
    private static readonly TimeSpan RetryWhenAllAreUsed = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly List<ResidentModel> _residents = [];
    private long _loadCount;
    private long _useCount;

    /// <summary>The resident of this content, new or not, with one more user. The caller who is told that it is new loads it.</summary>
    public (ResidentModel Model, bool IsNew) Enter(string sha256, string name, ResidentModel? parent)
    {
        lock (_lock)
        {
            var found = _residents.Find(resident => resident.Sha256 == sha256 && resident.Parent == parent);
            var resident = found ?? new ResidentModel(sha256, $"{sha256}/{_loadCount++}", parent);
            if (found is null)
            {
                _residents.Add(resident);
                // The load uses it too: it must not be evicted when the one who asked has left.
                resident.Users++;
            }
            resident.Users++;
            resident.Names.Add(name);
            return (resident, found is null);
        }
    }

    public void Leave(ResidentModel resident)
    {
        lock (_lock)
        {
            resident.Users--;
            resident.LastUse = _useCount++;
        }
    }

    /// <summary>Takes a resident that could not be loaded out.</summary>
    public void Forget(ResidentModel resident)
    {
        lock (_lock)
        {
            _residents.Remove(resident);
        }
    }

    /// <summary>Counts so many bytes for a resident, and says what must be freed first, adapters before their base.</summary>
    public IReadOnlyList<ResidentModel> Reserve(ResidentModel resident, long sizeBytes)
    {
        lock (_lock)
        {
            if (sizeBytes > ceilingBytes)
            {
                throw new InferenceFault(
                    FaultKind.ModelDoesNotFit,
                    $"The model needs {sizeBytes} bytes of memory; {ceilingBytes} are allowed by Inference:ModelBytes.",
                    ("needed_bytes", $"{sizeBytes}"),
                    ("limit_bytes", $"{ceilingBytes}"));
            }
            var leaving = new HashSet<ResidentModel>();
            while (_residents.Where(other => !leaving.Contains(other)).Sum(other => other.SizeBytes) + sizeBytes > ceilingBytes)
            {
                // Nothing is taken out before there is room enough: what was and then found too little would never be freed.
                var victim = _residents.Where(other => !leaving.Contains(other) && IsIdle(other)).MinBy(other => other.LastUse)
                    ?? throw new InferenceFault(FaultKind.QueueFull, "The models in use fill the memory. Try again later.")
                    {
                        Cause = "memory",
                        RetryAfter = RetryWhenAllAreUsed,
                    };
                leaving.UnionWith(_residents.Where(other => other.Parent == victim).Append(victim));
            }
            _residents.RemoveAll(leaving.Contains);
            resident.SizeBytes = sizeBytes;
            return [.. leaving.OrderBy(other => other.Parent is null)];
        }
    }

    public ResidentCount Count
    {
        get
        {
            lock (_lock)
            {
                var loaded = _residents.Where(resident => resident.SizeBytes > 0).ToLookup(resident => resident.Parent is null);
                return new ResidentCount(
                    loaded[true].Count(), loaded[false].Count(), loaded[true].Sum(resident => resident.SizeBytes), loaded[false].Sum(resident => resident.SizeBytes));
            }
        }
    }

    /// <summary>Keeps a resident, and its base, from being evicted, or no longer.</summary>
    public void Pin(string name, bool isPinned)
    {
        lock (_lock)
        {
            foreach (var resident in _residents.Where(resident => resident.Names.Contains(name)))
            {
                resident.IsPinned = isPinned;
            }
        }
    }

    /// <summary>Takes what is in memory under that name out if nobody uses it, and says what must be freed. Null when there is no such thing.</summary>
    public IReadOnlyList<ResidentModel>? TryRemove(string name)
    {
        lock (_lock)
        {
            ResidentModel[] named = [.. _residents.Where(resident => resident.Names.Contains(name))];
            if (named.Length == 0)
            {
                return null;
            }
            ResidentModel[] leaving =
                [.. named.Where(IsFree).SelectMany(resident => _residents.Where(other => other.Parent == resident).Append(resident)).Distinct()];
            _residents.RemoveAll(leaving.Contains);
            return leaving;
        }
    }

    public IReadOnlyList<ResidentSnapshot> List()
    {
        lock (_lock)
        {
            return
            [
                .. from resident in _residents
                   where resident.Loaded.Task.IsCompletedSuccessfully
                   from name in resident.Names
                   orderby name
                   select new ResidentSnapshot(name, resident.SizeBytes, resident.Users, IsHeld(resident)) { Parity = resident.Loaded.Task.Result.Parity },
            ];
        }
    }

    private bool IsIdle(ResidentModel resident) => IsFree(resident) && !IsHeld(resident);

    private bool IsFree(ResidentModel resident) =>
        resident.Users == 0 && !_residents.Exists(other => other.Parent == resident && other.Users > 0);

    private bool IsHeld(ResidentModel resident) => resident.IsPinned || _residents.Exists(other => other.Parent == resident && other.IsPinned);
}

/// <summary>A version in memory, as of now.</summary>
internal sealed record ResidentSnapshot(string Name, long SizeBytes, int Users, bool IsPinned)
{
    /// <summary>Of its base, where weights are not float32.</summary>
    public ParityCertificate? Parity { get; init; }
}

/// <summary>How many are in memory, and what they take.</summary>
internal sealed record ResidentCount(int Bases, int Adapters, long BaseBytes, long AdapterBytes);
