using System.Text.Json;
using InstructTune.Storage;
using InstructTune.Trainer.Checkpoints;

namespace InstructTune.Trainer.FineTuning;

/// <summary>The folder of one attempt beside its checkpoints: where the attempt is.</summary>
internal sealed class AttemptFolder(CheckpointStore checkpoints)
{
    private const string Logs = "logs";
    private const string ProgressFile = "progress.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public void WriteProgress(string jobId, int attempt, JobProgress progress) =>
        AtomicFile.Write(PathOf(jobId, attempt, ProgressFile), JsonSerializer.SerializeToUtf8Bytes(progress, Json));

    public string LogFolder(string jobId, int attempt) => PathOf(jobId, attempt, Logs);

    /// <summary>The logs of the newest attempt that has any; they hold every step of the job. Null where there are none.</summary>
    public string? NewestLogFolder(string jobId, int newestAttempt) =>
        Enumerable.Range(1, newestAttempt).Select(attempt => LogFolder(jobId, attempt)).LastOrDefault(Directory.Exists);

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
