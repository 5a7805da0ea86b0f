using InstructTune.V1;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>Streams that each send their next request when the last has its answer, until they are stopped.</summary>
internal sealed class ClosedLoop : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly TrafficServer _server;
    private readonly Task<List<RequestTrace>>[] _streams;

    /// <param name="server">Whom they ask.</param>
    /// <param name="streams">How many.</param>
    /// <param name="requestOf">The request of a stream, by number.</param>
    public ClosedLoop(TrafficServer server, int streams, Func<int, int, GenerateRequest> requestOf)
    {
        _server = server;
        _streams = [.. Enumerable.Range(0, streams).Select(stream => RunAsync(request => requestOf(stream, request)))];
    }

    /// <summary>Every stream leaves, and the server is idle.</summary>
    public async Task<IReadOnlyList<RequestTrace>> StopAsync()
    {
        await _stopping.CancelAsync();
        var traces = await Task.WhenAll(_streams);
        await _server.IsIdleAsync();
        return [.. traces.SelectMany(own => own)];
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_streams);
        _stopping.Dispose();
    }

    private async Task<List<RequestTrace>> RunAsync(Func<int, GenerateRequest> requestOf)
    {
        List<RequestTrace> traces = [];
        for (var request = 0; !_stopping.IsCancellationRequested; request++)
        {
            var trace = await _server.StreamAsync(requestOf(request), new RequestTrace(RunClock.Now), _stopping.Token);
            traces.Add(trace);
            if (trace.Outcome is Outcome.Failed or Outcome.Refused)
            {
                throw new InvalidOperationException($"A stream of a closed loop was {trace.Outcome}; its row would measure something else.");
            }
        }

        return traces;
    }
}
