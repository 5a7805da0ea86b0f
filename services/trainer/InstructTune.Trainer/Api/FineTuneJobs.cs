using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Trainer.Checkpoints;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Api;

/// <summary>Jobs that exist already.</summary>
internal sealed class FineTuneJobs([FromKeyedServices(TrainerModule.Queue)] JobStore store, CheckpointStore checkpoints)
{
    public async Task<JobRecord> GetAsync(string id, CancellationToken ct) =>
        await store.GetAsync(id, ct) ?? throw DomainException.NotFound(FineTuneOrder.JobName(id));

    public Task<JobPage> ListAsync(int pageSize, string pageToken, CancellationToken ct) => store.ListAsync(pageSize, pageToken, ct);

    public async Task<JobRecord> CancelAsync(string id, CancelCause cause, CancellationToken ct)
    {
        await GetAsync(id, ct);
        await store.CancelAsync(id, cause, ct);
        return await GetAsync(id, ct);
    }

    public async Task DeleteAsync(string id, CancellationToken ct)
    {
        var job = await GetAsync(id, ct);
        if (await store.DeleteAsync(id, ct) == DeleteOutcome.Refused)
        {
            var state = job.State.ToString().ToUpperInvariant();
            throw new DomainException(
                ErrorReason.JobNotEnded, $"{FineTuneOrder.JobName(id)} is {state}; cancel it, wait for its end and delete it then.",
                ("resource", FineTuneOrder.JobName(id)), ("state", state));
        }
    }

    /// <summary>The whole history, oldest first, from the job's log and the store.</summary>
    public async Task<IReadOnlyList<JobEventEntry>> HistoryAsync(string id, CancellationToken ct) =>
        await store.ReadHistoryAsync(id, ct) ?? throw DomainException.NotFound(FineTuneOrder.JobName(id));

    public async Task<JobRecord> ResumeAsync(string id, CancellationToken ct)
    {
        var job = await GetAsync(id, ct);
        if (!await store.ResumeAsync(id, ct))
        {
            var state = job.State.ToString().ToUpperInvariant();
            throw new DomainException(
                ErrorReason.JobNotResumable, $"{FineTuneOrder.JobName(id)} is {state}; only FAILED and CANCELLED jobs can be resumed.",
                ("resource", FineTuneOrder.JobName(id)), ("state", state));
        }

        return await GetAsync(id, ct);
    }

    public async Task<JobRecord> RequestCheckpointAsync(string id, CancellationToken ct)
    {
        var job = await GetAsync(id, ct);
        if (!await store.RequestCheckpointAsync(id, ct))
        {
            var state = job.State.ToString().ToUpperInvariant();
            throw new DomainException(
                ErrorReason.JobNotRunning, $"{FineTuneOrder.JobName(id)} is {state}; only RUNNING jobs can save a checkpoint.",
                ("resource", FineTuneOrder.JobName(id)), ("state", state));
        }

        return await GetAsync(id, ct);
    }

    /// <summary>The durable checkpoints, newest first.</summary>
    public IReadOnlyList<(CheckpointReference Reference, CheckpointManifest Manifest)> Checkpoints(JobRecord job)
    {
        var durable = new List<(CheckpointReference, CheckpointManifest)>();
        try
        {
            foreach (var link in checkpoints.Chain(job.Id, CheckpointReference.Parse(job.Checkpoint)))
            {
                durable.Add(link);
            }
        }
        catch (CheckpointCorruptException)
        {
            // A damaged manifest cannot be resumed from, and names none before it.
        }

        return durable;
    }
}
