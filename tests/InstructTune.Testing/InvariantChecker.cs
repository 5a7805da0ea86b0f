using InstructTune.Jobs;

namespace InstructTune.Testing;

/// <summary>What must hold of every job, always: the J rows of docs/reliability.md.</summary>
public static class InvariantChecker
{
    /// <summary>Reads every job of a queue and its history. Returns the jobs.</summary>
    public static async Task<IReadOnlyList<JobRecord>> CheckQueueAsync(JobStore store, CancellationToken ct)
    {
        var jobs = new List<JobRecord>();
        var token = "";
        do
        {
            var page = await store.ListAsync(0, token, ct);
            jobs.AddRange(page.Items);
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        foreach (var job in jobs)
        {
            var events = await store.ReadEventsAsync(job.Id, job.FirstSequence - 1, int.MaxValue / 2, ct);
            CheckHistory(job, events!.Entries);
        }

        return jobs;
    }

    public static void CheckHistory(JobRecord job, IReadOnlyList<JobEventEntry> events)
    {
        CheckSequences(job, events);
        CheckStates(job, events);
        CheckAttempts(job, events);
    }

    // J4: sequences run without a gap or a repeat up to the last.
    private static void CheckSequences(JobRecord job, IReadOnlyList<JobEventEntry> events)
    {
        for (var index = 0; index < events.Count; index++)
        {
            Require(events[index].Sequence == job.FirstSequence + index, job, $"event {index} has sequence {events[index].Sequence}");
        }

        Require(events.Count == job.LastSequence - job.FirstSequence + 1, job, $"{events.Count} events are kept");
    }

    // J2, J5: a chain of legal states that ends in the state of the record; a terminal state has the last event.
    private static void CheckStates(JobRecord job, IReadOnlyList<JobEventEntry> events)
    {
        var changes = events.Select(entry => entry.Body).OfType<StateChangedBody>().ToArray();
        for (var index = 1; index < changes.Length; index++)
        {
            Require(changes[index].From == changes[index - 1].To, job, $"a change begins at {changes[index].From}, where {changes[index - 1].To} was reached");
            Require(IsLegal(changes[index].From, changes[index].To), job, $"{changes[index].From} became {changes[index].To}");
        }

        Require(changes.Length == 0 || changes[^1].To == job.State, job, "the last change and the record disagree");
        Require(
            !job.State.IsTerminal() || events.Count == 0 || events[^1].Body is StateChangedBody { To: var last } && last == job.State,
            job,
            "something happened after the end");
        Require((job.Result.Length > 0) == (job.State == JobState.Succeeded) || job.State != JobState.Succeeded && job.Result.Length == 0, job, "a result without success");
        Require(changes.Count(change => change.To == JobState.Succeeded) <= 1, job, "it succeeded twice");
    }

    // J3: once an attempt has begun, no older one writes.
    private static void CheckAttempts(JobRecord job, IReadOnlyList<JobEventEntry> events)
    {
        for (var index = 1; index < events.Count; index++)
        {
            Require(events[index].Attempt >= events[index - 1].Attempt, job, $"attempt {events[index].Attempt} wrote after {events[index - 1].Attempt}");
        }
    }

    private static bool IsLegal(JobState from, JobState to) => (from, to) switch
    {
        (JobState.Queued, JobState.Running or JobState.Cancelled or JobState.Failed) => true,
        (JobState.Running, JobState.Queued or JobState.Cancelling or JobState.Succeeded or JobState.Failed) => true,
        (JobState.Cancelling, JobState.Cancelled) => true,
        (JobState.Failed or JobState.Cancelled, JobState.Queued) => true,
        _ => false,
    };

    private static void Require(bool holds, JobRecord job, string problem)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"Job {job.Id} ({job.State}, attempt {job.Attempt}, events {job.FirstSequence}..{job.LastSequence}): {problem}.");
        }
    }
}
