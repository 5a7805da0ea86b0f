using Google.Protobuf;
using Grpc.Core;
using InstructTune.Jobs;
using InstructTune.Trainer.FineTuning;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>Sends the log files of a job.</summary>
internal sealed class TrainingLogs(AttemptFolder attempts)
{
    // Half of what a message may hold.
    private const int ChunkBytes = 512 * 1024;

    public async Task SendAsync(JobRecord job, IServerStreamWriter<ReadTrainingLogsResponse> stream, CancellationToken ct)
    {
        if (attempts.NewestLogFolder(job.Id, job.Attempt) is not { } folder)
        {
            return;
        }

        foreach (var path in Directory.EnumerateFiles(folder).Where(IsWhole).Order(StringComparer.Ordinal))
        {
            await SendAsync(path, stream, ct);
        }
    }

    // Others are being written beside their place.
    private static bool IsWhole(string path) =>
        Path.GetExtension(path) is ".json" or ".jsonl" || Path.GetFileName(path).StartsWith("events.out.tfevents.", StringComparison.Ordinal);

    private static async Task SendAsync(string path, IServerStreamWriter<ReadTrainingLogsResponse> stream, CancellationToken ct)
    {
        // A running job goes on writing: what is there now is what is sent.
        await using var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var left = content.Length;
        var buffer = new byte[ChunkBytes];
        while (left > 0)
        {
            var count = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, ChunkBytes)), ct);
            if (count == 0)
            {
                return;
            }

            left -= count;
            await stream.WriteAsync(new ReadTrainingLogsResponse { Path = Path.GetFileName(path), Data = ByteString.CopyFrom(buffer, 0, count) }, ct);
        }
    }
}
