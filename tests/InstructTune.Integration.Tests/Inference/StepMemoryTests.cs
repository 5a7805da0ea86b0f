using Grpc.Net.Client;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
using InstructTune.Integration.Tests.Inference.Load;
using InstructTune.Modeling.Llama;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>What a step takes besides weights and cache, as the system counts it. Alone: others' work moves the garbage collector's share.</summary>
[Collection(Alone.Name)]
public sealed class StepMemoryTests
{
    private const int StepTokens = 4096;

    [Fact]
    public async Task The_largest_step_of_libtorch_takes_about_what_was_counted_for_it()
    {
        var config = TinyModel.Config(contextTokens: StepTokens, width: 512);
        var counted = TorchStepMemory.SizeBytes(config, new SchedulerLimits(StepTokens, MaxRunning: 64), StepTokens);
        await using var site = await InferenceSite.StartAsync();
        await site.PublishAsync(InferenceHost.Base, folder => TinyModel.Write(folder, seed: 1, contextTokens: StepTokens, width: 512));
        using var process = await site.ServeAsync(
            ("Inference:WeightFormat", "torch"), ("Inference:StepTokens", $"{StepTokens}"), ("Inference:CacheBytes", $"{64 << 20}"), ("Inference:PrefixBytes", "0"));
        using var channel = GrpcChannel.ForAddress(process.Address);
        var client = new InferenceService.InferenceServiceClient(channel);
        await AnswerAsync(client, tokens: 65);
        var before = process.ResidentBytes;

        await AnswerAsync(client, StepTokens - 1);

        var cache = KvCache.SizeBytes(config, 1, 1) * StepTokens;
        var taken = process.PeakBytes - before - cache;
        Assert.True(taken > counted * 0.6 && taken < counted * 1.6, $"{taken} bytes taken, {counted} counted");
    }

    private static async Task AnswerAsync(InferenceService.InferenceServiceClient client, int tokens)
    {
        var request = Requests.Greedy(InferenceHost.Base, "", maxTokens: 1);
        request.TokenIds = new TokenIds { Ids = { Enumerable.Range(0, tokens).Select(i => 10 + (i % 300)) } };
        await client.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
    }
}
