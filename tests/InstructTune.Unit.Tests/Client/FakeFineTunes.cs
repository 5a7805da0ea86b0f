using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Client;

/// <summary>One job whose events the test writes; a cancel adds the last one.</summary>
internal sealed class FakeFineTunes : FineTuneService.FineTuneServiceBase
{
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Failures CreateFailures { get; } = new();

    public Failures ResumeFailures { get; } = new();

    public List<CreateFineTuneJobRequest> Created { get; } = [];

    public List<long> WatchedAfter { get; } = [];

    public int ResumeCount { get; private set; }

    public List<JobEvent> Events { get; } = [];

    /// <summary>Break the stream once, after this event.</summary>
    public long BreakAfter { get; set; }

    /// <summary>The oldest event that is still kept.</summary>
    public long Oldest { get; set; } = 1;

    /// <summary>Whether the job goes on until it is cancelled.</summary>
    public bool RunsForEver { get; set; }

    public FineTuneJob Job { get; } = new()
    {
        Name = "fineTuneJobs/first", Job = new JobStatus { State = JobState.Succeeded, Progress = 1 }, ModelVersion = "models/first/versions/1",
    };

    /// <summary>Log files by name, each sent in two parts.</summary>
    public Dictionary<string, string> Logs { get; } = new(StringComparer.Ordinal);

    public TaskCompletionSource Watching { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task<FineTuneJob> CreateFineTuneJob(CreateFineTuneJobRequest request, ServerCallContext context)
    {
        Created.Add(request);
        CreateFailures.ThrowNext();
        return Task.FromResult(Job);
    }

    public override Task<FineTuneJob> GetFineTuneJob(GetFineTuneJobRequest request, ServerCallContext context) => request.Name == Job.Name
        ? Task.FromResult(Job)
        : throw new DomainException(ErrorReason.ResourceNotFound, $"There is no {request.Name}.", ("resource", request.Name));

    public override Task<FineTuneJob> CancelFineTuneJob(CancelFineTuneJobRequest request, ServerCallContext context)
    {
        Job.Job.State = JobState.Cancelled;
        _cancelled.TrySetResult();
        return Task.FromResult(Job);
    }

    public override Task<FineTuneJob> ResumeFineTuneJob(ResumeFineTuneJobRequest request, ServerCallContext context)
    {
        ResumeCount++;
        ResumeFailures.ThrowNext();
        return Task.FromResult(Job);
    }

    public override Task<FineTuneJob> PauseFineTuneJob(PauseFineTuneJobRequest request, ServerCallContext context)
    {
        (Job.Job.State, Job.Job.CancelCause) = (JobState.Cancelled, CancelCause.Pause);
        return Task.FromResult(Job);
    }

    public override Task<ListFineTuneJobsResponse> ListFineTuneJobs(ListFineTuneJobsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListFineTuneJobsResponse { FineTuneJobs = { Job } });

    public override Task<ListFineTuneJobEventsResponse> ListFineTuneJobEvents(ListFineTuneJobEventsRequest request, ServerCallContext context)
    {
        var after = request.PageToken.Length > 0 ? int.Parse(request.PageToken, System.Globalization.CultureInfo.InvariantCulture) : 0;
        // Two a page, so that readers have to turn it.
        return Task.FromResult(new ListFineTuneJobEventsResponse
        {
            Events = { Events.Skip(after).Take(2) }, NextPageToken = after + 2 < Events.Count ? $"{after + 2}" : "",
        });
    }

    public override async Task ReadTrainingLogs(
        ReadTrainingLogsRequest request, IServerStreamWriter<ReadTrainingLogsResponse> responseStream, ServerCallContext context)
    {
        foreach (var (path, content) in Logs)
        {
            await responseStream.WriteAsync(new() { Path = path, Data = Google.Protobuf.ByteString.CopyFromUtf8(content[..1]) });
            await responseStream.WriteAsync(new() { Path = path, Data = Google.Protobuf.ByteString.CopyFromUtf8(content[1..]) });
        }
    }

    public override async Task WatchFineTuneJob(
        WatchFineTuneJobRequest request, IServerStreamWriter<WatchFineTuneJobResponse> responseStream, ServerCallContext context)
    {
        WatchedAfter.Add(request.AfterSequence);
        if (request.AfterSequence + 1 < Oldest)
        {
            throw new DomainException(ErrorReason.EventsTrimmed, $"Events before {Oldest} are gone.", ("oldest_sequence", $"{Oldest}"));
        }

        foreach (var change in Events.Where(change => change.Sequence > request.AfterSequence).ToList())
        {
            await responseStream.WriteAsync(new() { Update = new() { Event = change } });
            if (change.Sequence == BreakAfter)
            {
                BreakAfter = 0;
                throw Failures.LostConnection();
            }
        }

        Watching.TrySetResult();
        if (RunsForEver)
        {
            await _cancelled.Task.WaitAsync(context.CancellationToken);
        }
    }
}
