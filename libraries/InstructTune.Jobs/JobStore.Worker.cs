using System.Globalization;

namespace InstructTune.Jobs;

/// <summary>What the holder of a job does. Everything but acquire is compared with the attempt.</summary>
public sealed partial class JobStore
{
    /// <summary>The oldest queued job this node may run, as a new attempt; null when there is none.</summary>
    public async Task<JobRecord?> AcquireAsync(string worker, string node, TimeSpan lease, CancellationToken ct = default)
    {
        var answer = await RunAsync(Scripts.Acquire, ct, worker, node, Milliseconds(lease));
        if (answer.Length <= 0)
        {
            return null;
        }

        var id = answer[0].ToString();
        await Redis.HintAsync(_keys.News, id);
        return JobRecordFields.Parse(id, answer[1]);
    }

    public async Task<RenewOutcome> RenewAsync(string id, int attempt, TimeSpan lease, CancellationToken ct = default) =>
        (RenewOutcome)(int)await RunAsync(Scripts.Renew, ct, id, attempt, Milliseconds(lease));

    public async Task<ReportResult> ReportAsync(JobReport report, CancellationToken ct = default)
    {
        var change = report.Change;
        var answer = await RunAsync(
            Scripts.Report,
            ct,
            report.Id,
            report.Attempt,
            report.Number,
            JobEventText.EncodePayload(report.Body),
            report.Progress?.ToString("R", CultureInfo.InvariantCulture) ?? "",
            report.Body is PhaseBody phase ? phase.Phase : "",
            change switch { null => "", { IsRollback: true } => "rollback", _ => "checkpoint" },
            change?.Expected ?? "",
            change?.Checkpoint ?? "",
            change?.Step ?? -1);
        await Redis.HintAsync(_keys.News, report.Id);
        return new ReportResult((long)answer[0], (int)answer[1] == 1, (int)answer[1] == 2);
    }

    /// <summary>Publishes a checkpoint: the only way one comes to exist.</summary>
    public Task<ReportResult> ReportCheckpointAsync(
        string id, int attempt, long number, string expected, CheckpointBody checkpoint, CancellationToken ct = default) =>
        ReportAsync(
            new JobReport
            {
                Id = id,
                Attempt = attempt,
                Number = number,
                Body = checkpoint,
                Change = new CheckpointChange(expected, checkpoint.Checkpoint, checkpoint.Step, IsRollback: false),
            },
            ct);

    public Task<CompleteOutcome> CompleteSucceededAsync(
        string id, int attempt, string expectedCheckpoint, string result, CancellationToken ct = default) =>
        CompleteAsync(id, attempt, JobState.Succeeded, expectedCheckpoint, result, null, ct);

    public Task<CompleteOutcome> CompleteFailedAsync(string id, int attempt, JobFault fault, CancellationToken ct = default) =>
        CompleteAsync(id, attempt, JobState.Failed, "", "", fault, ct);

    public Task<CompleteOutcome> CompleteCancelledAsync(string id, int attempt, CancellationToken ct = default) =>
        CompleteAsync(id, attempt, JobState.Cancelled, "", "", JobFault.Cancelled, ct);

    /// <summary>Gives the job back; a counted fault sends it through a pause of 2^failures units.</summary>
    public async Task<ReleaseOutcome> ReleaseAsync(
        string id, int attempt, ReleaseKind kind, JobFault? fault, string excludedNode = "", CancellationToken ct = default)
    {
        var outcome = (ReleaseOutcome)(int)await RunAsync(
            Scripts.Release,
            ct,
            id,
            attempt,
            kind switch { ReleaseKind.Preempted => "PREEMPTED", ReleaseKind.OutOfMemory => "OUT_OF_MEMORY", _ => "INFRASTRUCTURE" },
            excludedNode,
            JobFault.Encode(fault),
            JobFault.Encode(fault?.Exhausted()),
            JobFault.Encode(JobFault.Cancelled),
            Milliseconds(options.RetryUnit),
            Milliseconds(options.RetryMax),
            RetryJitter.Of(id, attempt).ToString("R", CultureInfo.InvariantCulture));
        await HintChangeAsync(id);
        return outcome;
    }

    private async Task<CompleteOutcome> CompleteAsync(
        string id, int attempt, JobState outcome, string expected, string result, JobFault? fault, CancellationToken ct)
    {
        var answer = await RunAsync(Scripts.Complete, ct, id, attempt, outcome.StoredName(), expected, result, JobFault.Encode(fault));
        await HintChangeAsync(id);
        return (CompleteOutcome)(int)answer;
    }
}
