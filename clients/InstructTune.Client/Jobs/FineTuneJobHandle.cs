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
