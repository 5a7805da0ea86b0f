using Microsoft.Extensions.Logging;

namespace InstructTune.Jobs;

/// <summary>Keeps the archive of a queue abreast of its store, and puts back what the store lost.</summary>
internal sealed partial class JobArchiver(JobStore store, JobArchive archive, ILogger logger)
{
    private const int MaxJobs = 1000;
    private const int MaxEvents = 2000;
    private const int MaxIds = 100;

    // The last event that the archive has, of the jobs that run.
    private readonly Dictionary<string, long> _archived = new(StringComparer.Ordinal);

    /// <summary>Writes what happened since the last look; jobs that ended get their end.</summary>
    public async Task KeepAsync(CancellationToken ct)
    {
        var (ended, running) = await store.ToArchiveAsync(MaxJobs, ct);
        foreach (var id in running.Concat(ended).Distinct(StringComparer.Ordinal))
        {
            await KeepEventsAsync(id, ct);
        }

        foreach (var id in ended)
        {
            if (await store.GetAsync(id, ct) is { } job && job.State.IsTerminal() && job.LastSequence == _archived.GetValueOrDefault(id))
            {
                archive.WriteTerminal(job);
                await store.MarkArchivedAsync(id, job.LastSequence, ct);
                _archived.Remove(id);
            }
        }
    }

    /// <summary>Ends deletions that died half-way, and creates again every job of the archive that the store does not hold, or holds in part. Returns how many.</summary>
    public async Task<int> RestoreAsync(CancellationToken ct)
    {
        foreach (var id in archive.Aside().ToList())
        {
            archive.Settle(id, await store.GetAsync(id, ct) is not null);
        }

        var count = 0;
        foreach (var ids in archive.Ids().Chunk(MaxIds))
        {
            foreach (var id in await store.MissingAsync(ids, ct))
            {
                count += await RestoreAsync(id, ct) ? 1 : 0;
            }
        }

        return count;
    }

    private async Task<bool> RestoreAsync(string id, CancellationToken ct)
    {
        try
        {
            if (archive.Restore(id) is { } job && await store.RestoreAsync(job, ct))
            {
                _archived.Remove(id);
                JobTelemetry.Restored(store.Queue);
                Log.Restored(logger, store.Queue, id, job.State, job.Attempt, job.Step);
                return true;
            }
        }
        catch (Exception exception) when (exception is System.Text.Json.JsonException or IOException)
        {
            Log.NotRestored(logger, exception, store.Queue, id);
        }

        return false;
    }

    private async Task KeepEventsAsync(string id, CancellationToken ct)
    {
        if (await store.GetAsync(id, ct) is not { } job)
        {
            return;
        }

        if (!archive.Contains(id))
        {
            // From before there was an archive, or created by a call whose answer was lost.
            archive.WriteSpec(NewJobOf(job), job.Created);
        }

        var events = archive.Events(id);
        var after = _archived.TryGetValue(id, out var known) ? known : events.LastSequence();
        after = Math.Max(after, job.FirstSequence - 1);
        while (after < job.LastSequence && await store.ReadEventsAsync(id, after, MaxEvents, ct) is { Entries: [.., var last] entries })
        {
            events.Append(entries);
            after = last.Sequence;
        }

        _archived[id] = after;
    }

    private static NewJob NewJobOf(JobRecord job) => new()
    {
        Id = job.Id,
        Spec = job.Spec,
        SpecSha256 = job.SpecSha256,
        MaxAttempts = job.MaxAttempts,
        Priority = job.Priority,
        TraceParent = job.TraceParent,
    };

    private static partial class Log
    {
        [LoggerMessage(2040, LogLevel.Warning, "Queue {Queue}: the store had lost job {Job}; it is {State} again, after attempt {Attempt} and step {Step}.")]
        public static partial void Restored(ILogger logger, string queue, string job, JobState state, int attempt, long step);

        [LoggerMessage(2041, LogLevel.Error, "Queue {Queue}: the store lost job {Job}, and its files in the archive cannot be read.")]
        public static partial void NotRestored(ILogger logger, Exception exception, string queue, string job);
    }
}
