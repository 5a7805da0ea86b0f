using System.Runtime.CompilerServices;
using InstructTune.V1;

namespace InstructTune.Client;

/// <summary>An evaluation run of the server.</summary>
public sealed class EvaluationRunHandle : JobHandle<EvaluationRun>
{
    private readonly InstructTuneClient _client;

    internal EvaluationRunHandle(InstructTuneClient client, string name)
        : base(client.Options, name) => _client = client;

    /// <inheritdoc />
    public override async Task<EvaluationRun> GetAsync(CancellationToken ct = default) =>
        await _client.Evaluations.GetEvaluationRunAsync(new GetEvaluationRunRequest { Name = Name }, cancellationToken: ct);

    /// <inheritdoc />
    public override async Task<EvaluationRun> CancelAsync(CancellationToken ct = default) =>
        await _client.Evaluations.CancelEvaluationRunAsync(new CancelEvaluationRunRequest { Name = Name }, cancellationToken: ct);

    private protected override async IAsyncEnumerable<JobUpdate> OpenWatch(
        long afterSequence, [EnumeratorCancellation] CancellationToken ct)
    {
        var request = new WatchEvaluationRunRequest { Name = Name, AfterSequence = afterSequence };
        using var call = _client.Evaluations.WatchEvaluationRun(request, cancellationToken: ct);
        while (await call.ResponseStream.MoveNext(ct))
        {
            yield return call.ResponseStream.Current.Update;
        }
    }
}
