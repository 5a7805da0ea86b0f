using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Trainer.Checkpoints;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Api;

/// <summary>Jobs that exist already.</summary>
internal sealed class FineTuneJobs([FromKeyedServices(TrainerModule.Queue)] JobStore store, CheckpointStore checkpoints)
{
    public async Task<JobRecord> GetAsync(string id, CancellationToken ct) =>
        await store.GetAsync(id, ct) ?? throw DomainException.NotFound(FineTuneOrder.JobName(id));

    /// <summary>The jobs that pass a filter, newest first. A page ends where its last job is, so that nothing is read twice.</summary>
    public async Task<JobPage> ListAsync(int pageSize, string pageToken, string filter, CancellationToken ct)
    {
        if (filter.Length == 0)
        {
            return await store.ListAsync(pageSize, pageToken, ct);
        }

        var passes = JobFilter.Parse(filter, "filter");
        var query = "fineTuneJobs?" + filter;
        var token = pageToken.Length == 0 ? "" : PageToken.Decode(query, pageToken);
        var (items, size) = (new List<JobRecord>(), PageSize.Of(pageSize));
        do
        {
            var page = await store.ListAsync(size - items.Count, token, ct);
            items.AddRange(page.Items.Where(passes));
            token = page.NextPageToken;
        }
        while (items.Count < size && token.Length > 0);

        return new JobPage(items, token.Length == 0 ? "" : PageToken.Encode(query, token));
    }

    public async Task<JobRecord> CancelAsync(string id, CancelCause cause, CancellationToken ct)
    {
        await GetAsync(id, ct);
        await store.CancelAsync(id, cause, ct);
        return await GetAsync(id, ct);
    }

    /// <param name="etag">Refuses where the job is not as it was with this etag; empty does not ask.</param>
    public async Task DeleteAsync(string id, string etag, CancellationToken ct)
    {
        var job = await GetAsync(id, ct);
        var isAsRead = etag.Length == 0 || etag == JobEtag.Of(job);
        switch (isAsRead ? await store.DeleteAsync(id, etag.Length == 0 ? null : job.LastSequence, ct) : DeleteOutcome.Changed)
        {
            case DeleteOutcome.Refused:
                var state = job.State.ToString().ToUpperInvariant();
                throw new DomainException(
                    ErrorReason.JobNotEnded, $"{FineTuneOrder.JobName(id)} is {state}; cancel it, wait for its end and delete it then.",
                    ("resource", FineTuneOrder.JobName(id)), ("state", state));
            case DeleteOutcome.Changed:
                throw new DomainException(
                    ErrorReason.EtagMismatch, $"{FineTuneOrder.JobName(id)} has changed since it was read with etag '{etag}'; read it again.",
                    ("resource", FineTuneOrder.JobName(id)), ("etag", etag));
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
