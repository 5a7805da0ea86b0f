using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

internal sealed class FineTuneGrpcService(
    FineTuneCreation creation,
    FineTuneJobs jobs,
    FineTuneView view,
    TrainingLogs logs,
    [FromKeyedServices(TrainerModule.Queue)] JobEvents events,
    IHostApplicationLifetime lifetime)
    : FineTuneService.FineTuneServiceBase
{
    public override async Task<FineTuneJob> CreateFineTuneJob(CreateFineTuneJobRequest request, ServerCallContext context)
    {
        FineTuneRules.Check(request);
        if (request.ValidateOnly)
        {
            return await creation.EstimateAsync(request, context.CancellationToken);
        }

        var id = await creation.CreateAsync(request, context.CancellationToken);
        return await view.OfAsync(await jobs.GetAsync(id, context.CancellationToken), context.CancellationToken);
    }

    public override async Task<FineTuneJob> GetFineTuneJob(GetFineTuneJobRequest request, ServerCallContext context)
    {
        var job = await jobs.GetAsync(FineTuneNames.Parse(request.Name, "name"), context.CancellationToken);
        return await view.OfAsync(job, context.CancellationToken);
    }

    public override async Task<ListFineTuneJobsResponse> ListFineTuneJobs(ListFineTuneJobsRequest request, ServerCallContext context)
    {
        new FieldViolations().Check(request.PageSize >= 0, "page_size", "must not be negative").ThrowIfAny();
        var page = await jobs.ListAsync(request.PageSize, request.PageToken, request.Filter, context.CancellationToken);
        var response = new ListFineTuneJobsResponse { NextPageToken = page.NextPageToken };
        foreach (var job in page.Items)
        {
            response.FineTuneJobs.Add(await view.OfAsync(job, context.CancellationToken));
        }

        return response;
    }

    public override async Task<FineTuneJob> CancelFineTuneJob(CancelFineTuneJobRequest request, ServerCallContext context)
    {
        var job = await jobs.CancelAsync(FineTuneNames.Parse(request.Name, "name"), Jobs.CancelCause.Caller, context.CancellationToken);
        return await view.OfAsync(job, context.CancellationToken);
    }

    public override async Task<FineTuneJob> PauseFineTuneJob(PauseFineTuneJobRequest request, ServerCallContext context)
    {
        var job = await jobs.CancelAsync(FineTuneNames.Parse(request.Name, "name"), Jobs.CancelCause.Pause, context.CancellationToken);
        return await view.OfAsync(job, context.CancellationToken);
    }

    public override async Task<Empty> DeleteFineTuneJob(DeleteFineTuneJobRequest request, ServerCallContext context)
    {
        await jobs.DeleteAsync(FineTuneNames.Parse(request.Name, "name"), request.Etag, context.CancellationToken);
        return new Empty();
    }

    public override async Task<ListFineTuneJobEventsResponse> ListFineTuneJobEvents(ListFineTuneJobEventsRequest request, ServerCallContext context)
    {
        var id = FineTuneNames.Parse(request.Parent, "parent");
        return FineTuneHistory.PageOf(id, await jobs.HistoryAsync(id, context.CancellationToken), request);
    }

    public override async Task<ListTrainingMetricsResponse> ListTrainingMetrics(ListTrainingMetricsRequest request, ServerCallContext context)
    {
        var id = FineTuneNames.Parse(request.Parent, "parent");
        return TrainingMetrics.PageOf(id, await jobs.HistoryAsync(id, context.CancellationToken), request);
    }

    public override async Task ReadTrainingLogs(
        ReadTrainingLogsRequest request, IServerStreamWriter<ReadTrainingLogsResponse> responseStream, ServerCallContext context)
    {
        var job = await jobs.GetAsync(FineTuneNames.Parse(request.Parent, "parent"), context.CancellationToken);
        await logs.SendAsync(job, responseStream, context.CancellationToken);
    }

    public override async Task<Checkpoint> GetCheckpoint(GetCheckpointRequest request, ServerCallContext context)
    {
        var parts = ResourceName.Parse("fineTuneJobs/{fine_tune_job}/checkpoints/{checkpoint}", request.Name, "name");
        var job = await jobs.GetAsync(parts[0], context.CancellationToken);
        return jobs.Checkpoints(job).Where(link => link.Reference.Id == parts[1]).Select(link => FineTuneView.Of(job.Id, link.Reference, link.Manifest)).FirstOrDefault()
            ?? throw DomainException.NotFound(request.Name);
    }

    public override async Task<FineTuneJob> ResumeFineTuneJob(ResumeFineTuneJobRequest request, ServerCallContext context)
    {
        var job = await jobs.ResumeAsync(FineTuneNames.Parse(request.Name, "name"), context.CancellationToken);
        return await view.OfAsync(job, context.CancellationToken);
    }

    public override async Task WatchFineTuneJob(
        WatchFineTuneJobRequest request, IServerStreamWriter<WatchFineTuneJobResponse> responseStream, ServerCallContext context)
    {
        var job = await jobs.GetAsync(FineTuneNames.Parse(request.Name, "name"), context.CancellationToken);
        var updates = JobWatch.FollowAsync(
            events,
            job.Id,
            request.AfterSequence,
            body => FineTuneNames.Checkpoint(job.Id, body.Checkpoint),
            lifetime.ApplicationStopping,
            context.CancellationToken);
        await foreach (var update in updates)
        {
            await responseStream.WriteAsync(new WatchFineTuneJobResponse { Update = update }, context.CancellationToken);
        }
    }

    public override async Task<FineTuneJob> RequestCheckpoint(RequestCheckpointRequest request, ServerCallContext context)
    {
        var job = await jobs.RequestCheckpointAsync(FineTuneNames.Parse(request.Name, "name"), context.CancellationToken);
        return await view.OfAsync(job, context.CancellationToken);
    }

    public override async Task<ListCheckpointsResponse> ListCheckpoints(ListCheckpointsRequest request, ServerCallContext context)
    {
        var job = await jobs.GetAsync(FineTuneNames.Parse(request.Parent, "parent"), context.CancellationToken);
        var page = FineTuneHistory.Cut(
            jobs.Checkpoints(job), $"checkpoints/{job.Id}", request.PageSize, request.PageToken, (PageSize.Default, PageSize.Max), FineTuneHistory.NewestFirst);
        return new ListCheckpointsResponse
        {
            Checkpoints = { page.Items.Select(link => FineTuneView.Of(job.Id, link.Reference, link.Manifest)) },
            NextPageToken = page.NextPageToken,
        };
    }
}
