using System.Runtime.CompilerServices;
using InstructTune.V1;

namespace InstructTune.Client;

/// <summary>A fine-tune job of the server.</summary>
public sealed class FineTuneJobHandle : JobHandle<FineTuneJob>
{
    private readonly InstructTuneClient _client;

    internal FineTuneJobHandle(InstructTuneClient client, string name)
        : base(client.Options, name) => _client = client;

    /// <inheritdoc />
    public override async Task<FineTuneJob> GetAsync(CancellationToken ct = default) =>
        await _client.FineTunes.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = Name }, cancellationToken: ct);

    /// <inheritdoc />
    public override async Task<FineTuneJob> CancelAsync(CancellationToken ct = default) =>
        await _client.FineTunes.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = Name }, cancellationToken: ct);

    /// <summary>Queues a job that failed or was cancelled again, from its newest durable checkpoint.</summary>
    /// <param name="ct">Cancels the call, not the job.</param>
    public async Task<FineTuneJob> ResumeAsync(CancellationToken ct = default) =>
        await _client.FineTunes.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = Name }, cancellationToken: ct);

    /// <summary>Receives the logs of the job, as they are now, in the formats of other tools. Files of the same names are replaced.</summary>
    /// <param name="folder">Where; made when absent.</param>
    /// <param name="ct">Breaks the call off.</param>
    /// <returns>The files written; none before the first step.</returns>
    public async Task<IReadOnlyList<FileInfo>> ReadLogsAsync(string folder, CancellationToken ct = default)
    {
        var files = new Dictionary<string, MemoryStream>(StringComparer.Ordinal);
        using var call = _client.FineTunes.ReadTrainingLogs(new ReadTrainingLogsRequest { Parent = Name }, cancellationToken: ct);
        while (await call.ResponseStream.MoveNext(ct))
        {
            var (name, data) = (call.ResponseStream.Current.Path, call.ResponseStream.Current.Data);
            if (name.Length == 0 || Path.GetFileName(name) != name)
            {
                throw InstructTuneException.Local(LocalReasons.FileUnreadable, $"The server sent a file with the name '{name}', which is none.");
            }

            if (!files.TryGetValue(name, out var content))
            {
                files.Add(name, content = new MemoryStream());
            }

            data.WriteTo(content);
        }

        Directory.CreateDirectory(folder);
        foreach (var (name, content) in files)
        {
            // Beside and then renamed: whoever follows the file never sees half of it.
            var path = Path.Combine(folder, name);
            await File.WriteAllBytesAsync(path + ".part", content.ToArray(), ct);
            File.Move(path + ".part", path, overwrite: true);
        }

        return [.. files.Keys.Select(name => new FileInfo(Path.Combine(folder, name)))];
    }

    private protected override async IAsyncEnumerable<JobUpdate> OpenWatch(
        long afterSequence, [EnumeratorCancellation] CancellationToken ct)
    {
        var request = new WatchFineTuneJobRequest { Name = Name, AfterSequence = afterSequence };
        using var call = _client.FineTunes.WatchFineTuneJob(request, cancellationToken: ct);
        while (await call.ResponseStream.MoveNext(ct))
        {
            yield return call.ResponseStream.Current.Update;
        }
    }
}
