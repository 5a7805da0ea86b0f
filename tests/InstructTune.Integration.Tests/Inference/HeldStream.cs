using Grpc.Core;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>A stream whose first message is here and which goes no further before its engine is let go.</summary>
internal sealed class HeldStream : IDisposable
{
    /// <summary>A character has at most four tokens of one byte, so that the first message is there after one more.</summary>
    private const int StepsToFirstMessage = 6;

    private HeldStream(AsyncServerStreamingCall<StreamGenerateResponse> call, HeldEngine engine)
    {
        Call = call;
        Engine = engine;
    }

    public AsyncServerStreamingCall<StreamGenerateResponse> Call { get; }

    public HeldEngine Engine { get; }

    public StreamGenerateResponse First { get; private init; } = new();

    /// <param name="host">Its engine is idle.</param>
    /// <param name="request">Its prompt takes one step, its text more than a few tokens.</param>
    /// <param name="client">Another client than the host's.</param>
    /// <param name="options">Of the call.</param>
    public static async Task<HeldStream> StartAsync(
        InferenceHost host, GenerateRequest request, InferenceService.InferenceServiceClient? client = null, CallOptions? options = null)
    {
        // A load needs the engine's thread, which is about to be held.
        await host.GenerateAsync(Requests.Greedy(request.Model, "load", maxTokens: 1));
        var engine = new HeldEngine(host);
        var call = (client ?? host.Client).StreamGenerate(request, options ?? new CallOptions(cancellationToken: TestContext.Current.CancellationToken));
        await engine.StepAsync(StepsToFirstMessage);
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return new HeldStream(call, engine) { First = call.ResponseStream.Current };
    }

    /// <summary>The rest of the stream, which is let go.</summary>
    public async Task<IReadOnlyList<StreamGenerateResponse>> FinishAsync()
    {
        Engine.Dispose();
        List<StreamGenerateResponse> messages = [First];
        await foreach (var message in Call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            messages.Add(message);
        }
        return messages;
    }

    public void Dispose()
    {
        Engine.Dispose();
        Call.Dispose();
    }
}
