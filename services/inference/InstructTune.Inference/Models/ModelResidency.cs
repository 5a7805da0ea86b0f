using InstructTune.Inference.Requests;
using InstructTune.Modeling.Serving;

namespace InstructTune.Inference.Models;

/// <summary>
/// Which contents are in memory, who uses them, and what leaves to make room: the least recently used that nobody uses, a base only
/// together with its adapters. One form of a content is served at a time: the one that was chosen last, or else the configured one. Counts
/// bytes; loads and frees nothing itself.
/// </summary>
internal sealed class ModelResidency(long ceilingBytes, WeightForm configured, TimeProvider time)
{
    private static readonly TimeSpan RetryWhenAllAreUsed = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly List<ResidentModel> _residents = [];
    private readonly Dictionary<string, WeightForm> _chosen = new(StringComparer.Ordinal);
    private long _loadCount;
    private long _useCount;

    /// <summary>The form that full weights are served in.</summary>
    public WeightForm FormOf(string sha256)
    {
        lock (_lock)
        {
            return Served(sha256);
        }
    }

    /// <summary>
    /// Serves a content in that form from now on, and says what must be freed: its other forms, as far as nobody uses them. What is in use is
    /// pinned no longer, and leaves when room is needed.
    /// </summary>
    public IReadOnlyList<ResidentModel> Choose(string sha256, WeightForm form)
    {
        lock (_lock)
        {
            _chosen[sha256] = form;
            var forms = _residents.Where(resident => resident.Parent is null && resident.Sha256 == sha256).ToLookup(resident => resident.Form == form);
            var (served, others) = (forms[true], forms[false].ToArray());
            foreach (var resident in served)
            {
                resident.IsPinned |= others.Any(other => other.IsPinned);
            }
            foreach (var resident in others.SelectMany(WithAdapters))
            {
                resident.IsPinned = false;
            }
            return TakeOut([.. others.Where(IsFree)]);
        }
    }

    /// <summary>Adapters that are pinned over another form of their base, by name.</summary>
    public IReadOnlyList<string> PinnedOverOthers(string baseSha256, WeightForm form)
    {
        lock (_lock)
        {
            return [.. _residents.Where(resident => resident.IsPinned && resident.Parent?.Sha256 == baseSha256 && resident.Form != form).SelectMany(resident => resident.Names)];
        }
    }

    /// <summary>
    /// The resident of this content, new or not, with one more user, in the form that is served if no other is named. The caller who is told that
    /// it is new loads it.
    /// </summary>
    public (ResidentModel Model, bool IsNew) Enter(string sha256, string name, ResidentModel? parent, WeightForm? form = null)
    {
        lock (_lock)
        {
            var wanted = parent?.Form ?? form ?? Served(sha256);
            var found = _residents.Find(resident => resident.Sha256 == sha256 && resident.Parent == parent && resident.Form == wanted);
            var resident = found ?? new ResidentModel(sha256, $"{sha256}/{_loadCount++}", parent, wanted);
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
            resident.UseNumber = _useCount++;
            resident.LastUseTime = time.GetTimestamp();
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
            while (_residents.Where(other => other != resident && !leaving.Contains(other)).Sum(other => other.SizeBytes) + sizeBytes > ceilingBytes)
            {
                // Nothing is taken out before there is room enough: what was and then found too little would never be freed.
                var victim = _residents.Where(other => !leaving.Contains(other) && IsIdle(other)).MinBy(other => other.UseNumber)
                    ?? throw new InferenceFault(FaultKind.QueueFull, "The models in use fill the memory. Try again later.")
                    {
                        Cause = "memory",
                        RetryAfter = RetryWhenAllAreUsed,
                    };
                leaving.UnionWith(WithAdapters(victim));
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
            foreach (var resident in _residents.Where(resident => resident.Names.Contains(name) && (!isPinned || IsServed(resident))))
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
            foreach (var resident in named.Where(resident => resident.Parent is null))
            {
                _chosen.Remove(resident.Sha256);
            }
            return TakeOut([.. named.Where(IsFree)]);
        }
    }

    /// <summary>Takes out what nobody has used for so long, unless it is pinned, and says what must be freed, adapters before their base.</summary>
    public IReadOnlyList<ResidentModel> TakeIdle(TimeSpan idleTime)
    {
        lock (_lock)
        {
            var idle = TakeOut([.. _residents.Where(resident => IsIdle(resident) && time.GetElapsedTime(resident.LastUseTime) >= idleTime)]);
            return [.. idle.OrderBy(resident => resident.Parent is null)];
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
                   select new ResidentSnapshot(name, resident.Form, resident.SizeBytes, resident.Users, IsHeld(resident)) { Parity = resident.Loaded.Task.Result.Parity },
            ];
        }
    }

    /// <summary>Adapters before their base.</summary>
    private IEnumerable<ResidentModel> WithAdapters(ResidentModel resident) => _residents.Where(other => other.Parent == resident).Append(resident);

    private ResidentModel[] TakeOut(ResidentModel[] free)
    {
        ResidentModel[] leaving = [.. free.SelectMany(WithAdapters).Distinct()];
        _residents.RemoveAll(leaving.Contains);
        return leaving;
    }

    private WeightForm Served(string sha256) => _chosen.GetValueOrDefault(sha256, configured);

    private bool IsServed(ResidentModel resident) => resident.Form == Served(resident.Parent?.Sha256 ?? resident.Sha256);

    private bool IsIdle(ResidentModel resident) => IsFree(resident) && !IsHeld(resident);

    private bool IsFree(ResidentModel resident) =>
        resident.Users == 0 && !_residents.Exists(other => other.Parent == resident && other.Users > 0);

    private bool IsHeld(ResidentModel resident) => resident.IsPinned || _residents.Exists(other => other.Parent == resident && other.IsPinned);
}

/// <summary>A version in memory, as of now.</summary>
internal sealed record ResidentSnapshot(string Name, WeightForm Form, long SizeBytes, int Users, bool IsPinned)
{
    /// <summary>Of its base, where weights are not float32.</summary>
    public ParityCertificate? Parity { get; init; }
}

/// <summary>How many are in memory, and what they take.</summary>
internal sealed record ResidentCount(int Bases, int Adapters, long BaseBytes, long AdapterBytes);
