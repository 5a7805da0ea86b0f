using System.Text.Json;
using InstructTune.Storage;
using InstructTune.Trainer.Checkpoints;

namespace InstructTune.Trainer.FineTuning;

/// <summary>The folder of one attempt beside its checkpoints: the proof that the number was taken, and where the attempt is.</summary>
internal sealed class AttemptFolder(CheckpointStore checkpoints)
{
    private const string ClaimFile = "claim.json";
    private const string ProgressFile = "progress.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Takes the attempt's folder, once.</summary>
    /// <exception cref="InvalidOperationException">
    /// The number was used before, so the store of jobs was rebuilt; the job is given back and comes again with the next number.
    /// </exception>
    public void Claim(string jobId, int attempt)
    {
        if (!AtomicFile.TryCreate(PathOf(jobId, attempt, ClaimFile), JsonSerializer.SerializeToUtf8Bytes(new { job = jobId, attempt }, Json)))
        {
            throw new InvalidOperationException($"Attempt {attempt} of job {jobId} was taken before: the store of jobs was rebuilt.");
        }
    }

    public void WriteProgress(string jobId, int attempt, JobProgress progress) =>
        AtomicFile.Write(PathOf(jobId, attempt, ProgressFile), JsonSerializer.SerializeToUtf8Bytes(progress, Json));

    /// <summary>What the newest attempt that got so far wrote; null where none did.</summary>
    public JobProgress? ReadProgress(string jobId, int newestAttempt)
    {
        for (var attempt = newestAttempt; attempt > 0; attempt--)
        {
            var path = PathOf(jobId, attempt, ProgressFile);
            if (File.Exists(path))
            {
                return JsonSerializer.Deserialize<JobProgress>(File.ReadAllBytes(path), Json);
            }
        }

        return null;
    }

    private string PathOf(string jobId, int attempt, string file) => Path.Combine(checkpoints.AttemptFolder(jobId, attempt), file);
}
