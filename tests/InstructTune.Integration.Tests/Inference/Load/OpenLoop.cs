using System.Collections.Concurrent;
using System.Diagnostics;
using Google.Rpc;
using Grpc.Core;
using InstructTune.Testing.Load;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference.Load;

/// <summary>Requests at a rate, whatever becomes of them, and requests one after the other.</summary>
internal sealed class OpenLoop(InferenceHost host, Func<int, GenerateRequest> requestOf)
{
    private static readonly TimeSpan _slow = TimeSpan.FromMilliseconds(40);

    private readonly Stopwatch _watch = Stopwatch.StartNew();

    public ConcurrentQueue<TimeSpan> Answers { get; } = new();

    public ConcurrentQueue<TimeSpan> Refusals { get; } = new();

    /// <summary>Refusals that took long, with the time at which they were asked for.</summary>
    public ConcurrentQueue<(TimeSpan At, TimeSpan Took)> Slow { get; } = new();

    public ConcurrentQueue<string> Faults { get; } = new();

    /// <summary>Answers per second at so many callers who each wait for their answer.</summary>
    public static async Task<double> ClosedAsync(InferenceHost host, Func<int, GenerateRequest> requestOf, int callers, TimeSpan duration)
    {
        var watch = Stopwatch.StartNew();
        var count = 0;
        await Task.WhenAll(Enumerable.Range(0, callers).Select(async caller =>
        {
            for (var i = caller; watch.Elapsed < duration; i += callers)
            {
                await host.GenerateAsync(requestOf(i));
                Interlocked.Increment(ref count);
            }
        }));
        return count / watch.Elapsed.TotalSeconds;
    }

    /// <summary>Sends at the rate for a time; answers that come later do not count.</summary>
    public async Task<double> RunAsync(double perSecond, TimeSpan duration, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var calls = await OpenLoopSender.SendAsync(ArrivalTimes.Even(perSecond), duration, i => CallAsync(requestOf(i), cancellationToken), cancellationToken);
        var goodput = Answers.Count / watch.Elapsed.TotalSeconds;
        await Task.WhenAll(calls);
        return goodput;
    }

    public async Task CallAsync(GenerateRequest request, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            await host.Client.GenerateAsync(request, cancellationToken: cancellationToken);
            Answers.Enqueue(watch.Elapsed);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.ResourceExhausted && exception.GetRpcStatus()?.GetDetail<RetryInfo>() is { RetryDelay: not null })
        {
            var took = watch.Elapsed;
            Refusals.Enqueue(took);
            if (took > _slow)
            {
                Slow.Enqueue((_watch.Elapsed - took, took));
            }
        }
        catch (RpcException exception)
        {
            Faults.Enqueue(exception.Status.ToString());
        }
    }
}
