using InstructTune.Jobs;

namespace InstructTune.Unit.Tests.Jobs.Simulation;

/// <summary>
/// Checks J2 to J5 of every step in its own words, not those of <see cref="JobTransitions"/>: what it remembers comes from the
/// steps themselves.
/// </summary>
internal sealed class Witness(Func<int, IEnumerable<int>> believers)
{
    public long Refused { get; private set; }

    public long Losses { get; private set; }

    public long Published { get; private set; }

    public long Cancelled { get; private set; }

    public long Exhausted { get; private set; }

    public void WasRefused() => Refused++;

    public void Acquired(SimulatedJob job)
    {
        job.Seen.Reports.Clear();
        // Whoever held the job before has stopped by its own clock, unless it could not run at all.
        foreach (var worker in believers(job.Id))
        {
            Fail(job, $"worker {worker} still believes that it holds the job that another one takes");
        }
    }

    public void Reported(SimulatedJob job, int attempt, long number, CheckpointChange? change)
    {
        Require(job.Seen.Reports.Add((attempt, number)), job, $"report {number} of attempt {attempt} was written twice");
        if (change is not null)
        {
            Require(change.Expected == job.Seen.Checkpoint && change.Step > job.Seen.CheckpointStep, job, "a checkpoint does not continue the one before");
            (job.Seen.Checkpoint, job.Seen.CheckpointStep, job.Seen.Losses) = (change.Checkpoint, change.Step, 0);
        }
    }

    public void Begins(SimulatedJob job, string checkpoint) =>
        Require(checkpoint == job.Seen.Checkpoint, job, $"an attempt begins at checkpoint {checkpoint}, which no report named");

    public void CancelAcknowledged(SimulatedJob job) => job.Seen.IsCancelAcknowledged = true;

    public void Resumed(SimulatedJob job) => (job.Seen.IsCancelAcknowledged, job.Seen.Losses) = (false, 0);

    public void Lost(SimulatedJob job)
    {
        Losses++;
        job.Seen.Losses++;
        Require(job.Seen.Losses <= job.Snapshot.MaxAttempts, job, "a job that kills its workers is tried for ever");
    }

    public void Changed(SimulatedJob job, JobSnapshot next, int? attempt)
    {
        var before = job.Snapshot;
        Require(before.State != JobState.Succeeded, job, "something happened after success");
        Require(attempt is null || attempt == before.Attempt, job, $"attempt {attempt} wrote");
        Require(next.LastSequence == before.LastSequence + 1, job, $"the event after {before.LastSequence} is {next.LastSequence}");
        Require(next.Attempt == before.Attempt + (next.State == JobState.Running && before.State == JobState.Queued ? 1 : 0), job, "the attempt jumped");
        if (next.State == JobState.Succeeded)
        {
            Require(!job.Seen.IsCancelAcknowledged, job, "a result was published after a cancel was acknowledged");
            Require(
                job.Seen.Reports.Contains((attempt!.Value, SimulatedWorker.StepsPerJob)), job, "a result was published before its last step was reported");
            Require(++job.Seen.Publications == 1, job, "a second result was published");
            Published++;
        }

        Cancelled += next.State == JobState.Cancelled ? 1 : 0;
        Exhausted += next.State == JobState.Failed ? 1 : 0;
    }

    private static void Require(bool holds, SimulatedJob job, string problem)
    {
        if (!holds)
        {
            Fail(job, problem);
        }
    }

    private static void Fail(SimulatedJob job, string problem) =>
        throw new InvariantBrokenException($"Job {job.Id} ({job.Snapshot.State}, attempt {job.Snapshot.Attempt}, event {job.Snapshot.LastSequence}): {problem}.");
}

internal sealed class InvariantBrokenException(string message) : Exception(message);
