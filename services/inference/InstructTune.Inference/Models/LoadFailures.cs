using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;

namespace InstructTune.Inference.Models;

/// <summary>
/// Contents that turned out broken, for a while: they are not opened, hashed and read again by every request that names them. What may have been
/// the moment's fault, such as a full memory, is not remembered.
/// </summary>
internal sealed class LoadFailures(TimeProvider time)
{
    private const int MostKept = 1024;

    private static readonly TimeSpan _retryTime = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<Content, (Exception Reason, long Since)> _failures = new();

    public bool TryFind(string sha256, ResidentModel? parent, WeightForm form, [NotNullWhen(true)] out Exception? reason)
    {
        var isKnown = _failures.TryGetValue(new Content(sha256, parent?.Sha256, form), out var failure) && IsFresh(failure.Since);
        reason = isKnown ? failure.Reason : null;
        return isKnown;
    }

    public void Add(ResidentModel resident, Exception reason)
    {
        if (reason is not (ModelFormatException or ArtifactCorruptException))
        {
            return;
        }
        foreach (var (content, failure) in _failures.Where(entry => !IsFresh(entry.Value.Since)))
        {
            _failures.TryRemove(new(content, failure));
        }
        if (_failures.Count < MostKept)
        {
            _failures[new Content(resident.Sha256, resident.Parent?.Sha256, resident.Form)] = (reason, time.GetTimestamp());
        }
    }

    /// <summary>Somebody says that it was repaired.</summary>
    public void Forget(string sha256)
    {
        foreach (var content in _failures.Keys.Where(content => content.Sha256 == sha256))
        {
            _failures.TryRemove(content, out _);
        }
    }

    private bool IsFresh(long since) => time.GetElapsedTime(since) < _retryTime;

    private sealed record Content(string Sha256, string? BaseSha256, WeightForm Form);
}
