using System.Runtime.CompilerServices;
using InstructTune.Storage;

namespace InstructTune.Jobs;

/// <summary>Follows a job's history: in order, each event once, no gap, from any sequence on.</summary>
public sealed class JobEvents
{
    private const int PageSize = 500;

    private readonly JobStore _store;
    private readonly JobSignals _signals;
    private readonly LeaseOptions _options;
    private readonly TimeProvider _clock;

    public JobEvents(JobStore store)
        : this(store, new JobSignals(store, TimeProvider.System), new LeaseOptions(), TimeProvider.System)
    {
    }

    internal JobEvents(JobStore store, JobSignals signals, LeaseOptions options, TimeProvider clock)
    {
        _store = store;
        _signals = signals;
        _options = options;
        _clock = clock;
    }

    /// <summary>
    /// Every event after a sequence, then each new one as it comes; null after 15 s of silence, which means that all
    /// there is was sent. Ends after the event that ended the job. Goes on by itself when the store was away for less
    /// than a call's patience.
    /// </summary>
    /// <exception cref="JobNotFoundException">There is no such job.</exception>
    /// <exception cref="EventsTrimmedException">Events asked for are not kept any more.</exception>
    /// <exception cref="StoreUnreachableException">The store is away: follow again from the last sequence received.</exception>
    public async IAsyncEnumerable<JobEventEntry?> FollowAsync(
        string id, long afterSequence, [EnumeratorCancellation] CancellationToken ct)
    {
        await _signals.ListenAsync(ct);
        var after = afterSequence;
        var silentSince = _clock.GetTimestamp();
        if (await HasEndedAsync(id, after, ct))
        {
            yield break;
        }

        while (true)
        {
            // Taken before reading: news between the read and the wait is not missed.
            var news = _signals.NewsOf(id);
            var page = await _store.ReadEventsAsync(id, after, PageSize, ct) ?? throw new JobNotFoundException(id);
            foreach (var entry in page.Entries)
            {
                after = entry.Sequence;
                silentSince = _clock.GetTimestamp();
                yield return entry;
                if (after == page.LastSequence && EndsJob(entry))
                {
                    yield break;
                }
            }

            if (_clock.GetElapsedTime(silentSince) >= _options.CaughtUpInterval)
            {
                silentSince = _clock.GetTimestamp();
                yield return null;
            }

            if (after >= page.LastSequence)
            {
                await _signals.WaitAsync(news, _options.PollInterval, ct);
            }
        }
    }

    private static bool EndsJob(JobEventEntry entry) => entry.Body is StateChangedBody change && change.To.IsTerminal();

    // Whoever follows from the last event of an ended job gets an empty stream that ends.
    private async Task<bool> HasEndedAsync(string id, long after, CancellationToken ct)
    {
        var rest = await _store.ReadEventsAsync(id, after, 1, ct);
        if (rest is null || after < 1 || after != rest.LastSequence)
        {
            return false;
        }

        var last = await _store.ReadEventsAsync(id, after - 1, 1, ct);
        return last is { Entries: [var entry] } && entry.Sequence == last.LastSequence && EndsJob(entry);
    }
}

/// <summary>There is no job of this id.</summary>
public sealed class JobNotFoundException(string id) : Exception($"There is no job {id}.")
{
    public string Id { get; } = id;
}
