using InstructTune.Hosting;
using InstructTune.Trainer.Checkpoints;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Api;

/// <summary>Resource names of fine-tune jobs and their checkpoints.</summary>
internal static class FineTuneNames
{
    /// <summary>The job's ID.</summary>
    public static string Parse(string name, string field) => ResourceName.Parse("fineTuneJobs/{fine_tune_job}", name, field)[0];

    /// <summary>The name of a checkpoint by its ID; empty where there is none.</summary>
    public static string CheckpointOfId(string jobId, string id) => id.Length == 0 ? "" : $"{FineTuneOrder.JobName(jobId)}/checkpoints/{id}";

    public static string Checkpoint(string jobId, CheckpointReference reference) => $"{FineTuneOrder.JobName(jobId)}/checkpoints/{reference.Id}";

    /// <summary>The record names checkpoints by folder and digest, the API by resource name.</summary>
    public static string Checkpoint(string jobId, string reference) => Checkpoint(jobId, CheckpointReference.Parse(reference)!);
}
