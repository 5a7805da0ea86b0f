using InstructTune.Inference.Requests;

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
            List<ResidentModel> leaving = [];
            while (_residents.Sum(other => other.SizeBytes) + sizeBytes > ceilingBytes)
            {
                var victim = _residents.Where(IsIdle).MinBy(other => other.LastUse)
                    ?? throw new InferenceFault(FaultKind.QueueFull, "The models in use fill the memory. Try again later.")
                    {
                        RetryAfter = RetryWhenAllAreUsed,
                    };
                ResidentModel[] group = [.. _residents.Where(other => other.Parent == victim), victim];
                leaving.AddRange(group);
                _residents.RemoveAll(group.Contains);
            }
            resident.SizeBytes = sizeBytes;
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
                   select new ResidentSnapshot(name, resident.SizeBytes, resident.Users),
            ];
        }
    }

    private bool IsIdle(ResidentModel resident) =>
        resident.Users == 0 && !_residents.Exists(other => other.Parent == resident && other.Users > 0);
}

/// <summary>A version in memory, as of now.</summary>
internal sealed record ResidentSnapshot(string Name, long SizeBytes, int Users);
