using Google.Protobuf.WellKnownTypes;
using InstructTune.Jobs;
using InstructTune.V1;
using JobState = InstructTune.Jobs.JobState;

namespace InstructTune.Hosting;

/// <summary>Jobs as the API shows them, whatever kind of work they are.</summary>
public static class JobMapping
{
    public static JobStatus ToProto(this JobRecord job)
    {
        var status = new JobStatus
        {
            State = job.State.ToProto(),
            Attempt = job.Attempt,
            FailureCount = job.Failures,
            Progress = job.Progress,
            LastEventSequence = job.LastSequence,
            Error = job.State is JobState.Failed or JobState.Cancelled ? job.Error?.ToProto() : null,
            CreateTime = job.Created.ToTimestamp(),
            StartTime = job.Started?.ToTimestamp(),
            UpdateTime = job.Updated.ToTimestamp(),
            EndTime = job.Ended?.ToTimestamp(),
            LastTransientError = job.LastFault?.ToProto(),
            CancelCause = job.CancelCause switch
            {
                Jobs.CancelCause.Caller => V1.CancelCause.Caller,
                Jobs.CancelCause.Pause => V1.CancelCause.Pause,
                _ => V1.CancelCause.Unspecified,
            },
            Priority = job.Priority switch
            {
                Jobs.JobPriority.High => V1.JobPriority.High,
                Jobs.JobPriority.Low => V1.JobPriority.Low,
                _ => V1.JobPriority.Normal,
            },
            Worker = job.Owner,
            LeaseExpireTime = job.LeaseExpires?.ToTimestamp(),
        };
        if (job.State is JobState.Running)
        {
            status.Phase = job.Phase;
        }

        return status;
    }

    public static V1.JobState ToProto(this JobState state) => state switch
    {
        JobState.Queued => V1.JobState.Queued,
        JobState.Running => V1.JobState.Running,
        JobState.Cancelling => V1.JobState.Cancelling,
        JobState.Succeeded => V1.JobState.Succeeded,
        JobState.Failed => V1.JobState.Failed,
        JobState.Cancelled => V1.JobState.Cancelled,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Unknown job state."),
    };

    public static Jobs.JobPriority ToDomain(this V1.JobPriority priority) => priority switch
    {
        V1.JobPriority.High => Jobs.JobPriority.High,
        V1.JobPriority.Low => Jobs.JobPriority.Low,
        _ => Jobs.JobPriority.Normal,
    };

    public static JobError ToProto(this JobFault fault)
    {
        var error = new JobError { Reason = ErrorCatalog.Find(fault.Reason) ?? ErrorReason.Internal, Message = fault.Message };
        error.Metadata.Add(fault.Metadata.ToDictionary());
        return error;
    }

    /// <param name="entry">The event as the store keeps it.</param>
    /// <param name="checkpointName">The resource name of a checkpoint that the store knows by its place.</param>
    public static JobEvent ToProto(this JobEventEntry entry, Func<CheckpointBody, string> checkpointName)
    {
        var result = new JobEvent { Sequence = entry.Sequence, CreateTime = entry.Time.ToTimestamp(), Attempt = entry.Attempt };
        switch (entry.Body)
        {
            case StateChangedBody change:
                result.StateChanged = new JobEvent.Types.StateChanged
                {
                    From = change.From == change.To ? V1.JobState.Unspecified : change.From.ToProto(),
                    To = change.To.ToProto(),
                    Cause = change.Cause?.ToProto(),
                };
                break;
            case MetricsBody metrics:
                result.MetricsReported = new JobEvent.Types.MetricsReported
                {
                    Step = metrics.Step, PlannedSteps = metrics.PlannedSteps, StageId = metrics.StageId,
                };
                result.MetricsReported.Values.Add(metrics.Values.ToDictionary());
                break;
            case CheckpointBody checkpoint:
                result.CheckpointSaved = new JobEvent.Types.CheckpointSaved
                {
                    Checkpoint = checkpointName(checkpoint), Step = checkpoint.Step,
                };
                break;
            case StageBody stage:
                result.StageStarted = new JobEvent.Types.StageStarted
                {
                    StageId = stage.StageId, PlannedSteps = stage.PlannedSteps, ExampleCount = stage.ExampleCount, ReusedCheckpoint = stage.ReusedCheckpoint,
                };
                break;
            case NumericsChangedBody numerics:
                result.NumericsChanged = new JobEvent.Types.NumericsChanged();
                result.NumericsChanged.Before.Add(numerics.Before.ToDictionary());
                result.NumericsChanged.After.Add(numerics.After.ToDictionary());
                break;
            case NoticeBody notice:
                result.Notice = new JobEvent.Types.Notice { Reason = notice.Reason, Text = notice.Text };
                result.Notice.Metadata.Add(notice.Metadata.ToDictionary());
                break;
            case PhaseBody phase:
                result.PhaseStarted = new JobEvent.Types.PhaseStarted { Phase = phase.Phase };
                break;
            default:
                throw new InvalidOperationException($"Events of type {entry.Body.GetType().Name} have no form in the API.");
        }

        return result;
    }
}
