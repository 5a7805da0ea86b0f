using System.Collections.Concurrent;
using InstructTune.Inference.Engine;

namespace InstructTune.Inference.Requests;

/// <summary>Requests whose sequences the engine has. It may be unable to tell their callers anything.</summary>
internal sealed class LiveRequests
{
    private readonly ConcurrentDictionary<RequestLife, IReadOnlyList<Sequence>> _requests = new();

    public int Count => _requests.Count;

    public void Add(RequestLife life, IReadOnlyList<Sequence> sequences)
    {
        _requests[life] = sequences;
        life.WhenEnded(() => _requests.TryRemove(life, out _));
    }

    /// <summary>Fails every request at once, without the engine's thread. Slots come back when that thread does.</summary>
    public int Abandon(Func<Exception> reason)
    {
        var count = 0;
        foreach (var (life, sequences) in _requests)
        {
            life.Abandon();
            foreach (var sequence in sequences)
            {
                sequence.Abandon(reason());
            }
            count += _requests.TryRemove(life, out _) ? 1 : 0;
        }
        return count;
    }
}
