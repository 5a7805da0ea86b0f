using System.Diagnostics;
using Grpc.Core;
using InstructTune.Inference.Engine;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Integration.Tests.Inference.Load;

/// <summary>
/// Mixed traffic at a fixed rate against a server with little memory: answers that are checked, streams, scores, callers who leave, bad
/// requests, adapters loaded, unloaded and replaced.
/// </summary>
internal sealed class Soak(SoakOptions options, SoakCatalogue catalogue, InferenceHost host, ChangingNames names)
{
    private static readonly string[] _tenants = ["ann", "bob", "cy"];

    private readonly Random _random = new(options.Seed);

    public SoakReport Report { get; } = new();

    /// <summary>A server in which everything is scarce.</summary>
    public static Task<InferenceHost> StartHostAsync(SoakOptions options) => InferenceHost.StartAsync(
        services =>
        {
            if (options.LeavesOutAdapterDigest)
            {
                services.AddSingleton(new PrefixKeys([1], includesAdapter: false));
            }
        },
        ("Inference:ModelBytes", "3840000"), ("Inference:CacheBytes", "786432"), ("Inference:PrefixBytes", "393216"),
        ("Inference:ReservedOutputTokens", "8"), ("Inference:MaxRunning", "12"), ("Inference:MaxWaiting", "64"));

    public async Task RunAsync(bool stopsAtWrong, CancellationToken cancellationToken)
    {
        List<Task> calls = [];
        var watch = Stopwatch.StartNew();
        var next = TimeSpan.Zero;
        var (minute, sum, samples) = (0, 0L, 0);
        while (watch.Elapsed < options.Duration && !(stopsAtWrong && Report.Wrong.Count > 0))
        {
            calls.Add(CallAsync(_random.Next(100), _random.Next(), cancellationToken));
            calls.RemoveAll(call => call.IsCompletedSuccessfully);
            (sum, samples) = (sum + Environment.WorkingSet, samples + 1);
            if (watch.Elapsed.TotalMinutes >= minute + 1)
            {
                Report.MinuteBytes.Add(sum / samples);
                (minute, sum, samples) = (minute + 1, 0, 0);
            }
            next += TimeSpan.FromSeconds(-Math.Log(1 - _random.NextDouble()) / options.RequestsPerSecond);
            if (next > watch.Elapsed)
            {
                await Task.Delay(next - watch.Elapsed, TimeProvider.System, cancellationToken);
            }
        }
        await Task.WhenAll(calls);
    }

    /// <summary>What a request can be answered with is handled where it is made; everything else is a fault, and the run goes on.</summary>
    private async Task CallAsync(int kind, int draw, CancellationToken cancellationToken)
    {
        try
        {
            await RequestAsync(kind, draw, cancellationToken);
        }
        catch (RpcException exception)
        {
            Report.AddFault($"kind {kind}, draw {draw}: {exception.Status}");
        }
    }

    private Task RequestAsync(int kind, int draw, CancellationToken cancellationToken) => kind switch
    {
        < 45 => CheckAsync(draw, streams: false, cancellationToken),
        < 65 => CheckAsync(draw, streams: true, cancellationToken),
        < 78 => LeaveAsync(draw, cancellationToken),
        < 86 => BadAsync(draw, cancellationToken),
        < 94 => ReplaceAsync(draw),
        _ => MoveAsync(draw, cancellationToken),
    };

    private async Task CheckAsync(int draw, bool streams, CancellationToken cancellationToken)
    {
        var (index, variant) = (draw % ChangingNames.Count, draw / 8 % SoakCatalogue.Variants);
        var mark = names.Mark(index);
        var request = SoakCatalogue.Request(ChangingNames.NameOf(index), variant);
        request.Tenant = _tenants[draw % _tenants.Length];
        request.Priority = (Priority)(draw / 64 % 4);
        try
        {
            var answer = streams ? await StreamAsync(request, cancellationToken)
                : SoakCatalogue.ContentOf(await host.Client.GenerateAsync(request, cancellationToken: cancellationToken));
            var right = await Task.WhenAll(names.Since(index, mark).Select(content => catalogue.RightAnswerAsync(content, variant)));
            Report.Count("checked");
            if (!right.Contains(answer))
            {
                Report.AddWrong($"variant {variant} of {request.Model}: {answer} and not {string.Join(" or ", right)}");
            }
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.ResourceExhausted)
        {
            Report.Count("refused");
        }
    }

    private async Task<string> StreamAsync(GenerateRequest request, CancellationToken cancellationToken)
    {
        var count = Math.Max(1, request.Sampling.N);
        var texts = Enumerable.Range(0, count).Select(_ => new System.Text.StringBuilder()).ToArray();
        var tokens = Enumerable.Range(0, count).Select(_ => new List<TokenLogprob>()).ToArray();
        using var call = host.Client.StreamGenerate(request, cancellationToken: cancellationToken);
        await foreach (var message in call.ResponseStream.ReadAllAsync(cancellationToken))
        {
            texts[message.CandidateIndex].Append(message.TextDelta);
            tokens[message.CandidateIndex].AddRange(message.Tokens);
        }
        return string.Join('|', texts.Zip(tokens, (text, reports) => SoakCatalogue.ContentOf(text.ToString(), reports)));
    }

    private async Task LeaveAsync(int draw, CancellationToken cancellationToken)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var request = SoakCatalogue.Request(ChangingNames.NameOf(draw % ChangingNames.Count), draw / 8 % SoakCatalogue.Variants);
        request.MaxOutputTokens = 200;
        try
        {
            using var call = host.Client.StreamGenerate(request, cancellationToken: leaving.Token);
            for (var i = 0; i < draw % 6; i++)
            {
                await call.ResponseStream.MoveNext(leaving.Token);
            }
            await leaving.CancelAsync();
            await call.ResponseStream.MoveNext(leaving.Token);
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.Cancelled or StatusCode.ResourceExhausted)
        {
            Report.Count("left");
        }
        catch (OperationCanceledException)
        {
            Report.Count("left");
        }
    }

    private async Task BadAsync(int draw, CancellationToken cancellationToken)
    {
        var request = SoakCatalogue.Request(ChangingNames.NameOf(0), draw % SoakCatalogue.Variants);
        switch (draw % 4)
        {
            case 0: request.Model = "models/nobody/versions/9"; break;
            case 1: request.Sampling.Temperature = double.NaN; break;
            case 2: request.TokenIds = new TokenIds { Ids = { 1 << 20 } }; break;
            default: request.TokenIds = new TokenIds { Ids = { Enumerable.Repeat(5, 600) } }; break;
        }
        try
        {
            await host.Client.GenerateAsync(request, cancellationToken: cancellationToken);
            Report.AddWrong("A bad request was answered.");
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.InvalidArgument or StatusCode.NotFound or StatusCode.ResourceExhausted)
        {
            Report.Count("bad, refused");
        }
    }

    private Task ReplaceAsync(int draw)
    {
        names.Replace(draw % ChangingNames.Count, draw / 8 % SoakCatalogue.Contents);
        Report.Count("replaced");
        return Task.CompletedTask;
    }

    private async Task MoveAsync(int draw, CancellationToken cancellationToken)
    {
        var name = ChangingNames.NameOf(draw % ChangingNames.Count);
        try
        {
            if (draw / 8 % 2 == 0)
            {
                await host.Client.LoadModelVersionAsync(new LoadModelVersionRequest { Name = name }, cancellationToken: cancellationToken);
            }
            else
            {
                await host.Client.UnloadModelVersionAsync(new UnloadModelVersionRequest { Name = name }, cancellationToken: cancellationToken);
            }
            Report.Count("moved");
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.NotFound or StatusCode.ResourceExhausted)
        {
            Report.Count("not moved");
        }
    }
}
