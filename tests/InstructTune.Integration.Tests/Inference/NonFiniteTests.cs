using System.Buffers.Binary;
using Google.Rpc;
using Grpc.Core;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Weights that are broken, or that break what is computed from them.</summary>
public sealed class NonFiniteTests
{
    private const string Broken = "models/broken/versions/1";
    private const string Huge = "models/huge/versions/1";

    [Theory]
    [InlineData("torch")]
    [InlineData("int8")]
    [Covers("InferenceService/Generate", "MODEL_FILES_INVALID")]
    [Covers("InferenceService/StreamGenerate", "MODEL_FILES_INVALID")]
    [Covers("InferenceService/Score", "MODEL_FILES_INVALID")]
    [Covers("InferenceService/Tokenize", "MODEL_FILES_INVALID")]
    [Covers("InferenceService/Detokenize", "MODEL_FILES_INVALID")]
    [Covers("InferenceService/RenderPrompt", "MODEL_FILES_INVALID")]
    [Covers("InferenceService/LoadModelVersion", "MODEL_FILES_INVALID")]
    public async Task An_adapter_with_NaN_weights_is_refused_by_name_and_others_are_served(string weightFormat)
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", weightFormat));
        await host.PublishAdapterAsync(Broken, InferenceHost.Base, folder => WriteBroken(folder));
        var before = await host.GenerateAsync(Requests.Greedy(InferenceHost.Red, "x"));

        var failed = await host.GenerateAsync(Requests.Greedy(Broken, "x")).FailsAsync("MODEL_FILES_INVALID");
        await host.StreamAsync(Requests.Greedy(Broken, "x")).FailsAsync("MODEL_FILES_INVALID");
        await host.ScoreAsync(Requests.Score(Broken, ("a", "b"))).FailsAsync("MODEL_FILES_INVALID");
        await host.Client.TokenizeAsync(new TokenizeRequest { Model = Broken, Text = "x" }, cancellationToken: TestContext.Current.CancellationToken).ResponseAsync.FailsAsync("MODEL_FILES_INVALID");
        await host.Client.DetokenizeAsync(new DetokenizeRequest { Model = Broken, TokenIds = { 3 } }, cancellationToken: TestContext.Current.CancellationToken).ResponseAsync.FailsAsync("MODEL_FILES_INVALID");
        await host.Client.RenderPromptAsync(
            new RenderPromptRequest { Model = Broken, Instruction = new Instruction { Instruction_ = "x" } },
            cancellationToken: TestContext.Current.CancellationToken).ResponseAsync.FailsAsync("MODEL_FILES_INVALID");
        await host.Client.LoadModelVersionAsync(new LoadModelVersionRequest { Name = Broken }, cancellationToken: TestContext.Current.CancellationToken).ResponseAsync.FailsAsync("MODEL_FILES_INVALID");

        Assert.Equal(StatusCode.InvalidArgument, failed.StatusCode);
        Assert.Contains("not finite", failed.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(before.TokenIds, (await host.GenerateAsync(Requests.Greedy(InferenceHost.Red, "x"))).TokenIds);
    }

    [Theory]
    [InlineData("torch")]
    [InlineData("float32")]
    public async Task An_adapter_whose_results_overflow_fails_alone_and_neighbours_and_its_slots_next_users_notice_nothing(string weightFormat)
    {
        // Room for few sequences: slots of the failed are used again at once.
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", weightFormat), ("Inference:CacheBytes", "1048576"));
        await host.PublishAdapterAsync(Huge, InferenceHost.Base, folder => TinyAdapter.Write(folder, seed: 9, spread: 1e30));
        GenerateRequest[] healthy =
        [
            .. from model in new[] { InferenceHost.Base, InferenceHost.Red, InferenceHost.Blue }
               from seed in Enumerable.Range(0, 4)
               select WithLogprobs(Requests.Sampled(model, $"neighbour {seed}", (ulong)seed, maxTokens: 30)),
        ];
        List<GenerateResponse> alone = [];
        foreach (var request in healthy)
        {
            alone.Add(await host.GenerateAsync(request));
        }

        for (var round = 0; round < 3; round++)
        {
            var failing = Enumerable.Range(0, 6).Select(i => host.GenerateAsync(Requests.Greedy(Huge, string.Concat(Enumerable.Repeat($"bad {i} ", 20))))).ToArray();
            var together = await Task.WhenAll(healthy.Select(host.GenerateAsync));
            foreach (var call in failing)
            {
                var failed = await call.FailsAsync("INTERNAL");
                Assert.Equal("NON_FINITE_LOGITS", failed.GetRpcStatus()!.GetDetail<ErrorInfo>().Metadata["problem"]);
            }
            Assert.Equal(alone.Select(answer => answer.Candidates[0].Tokens), together.Select(answer => answer.Candidates[0].Tokens));
        }

        await host.ScoreAsync(Requests.Score(Huge, ("a", "b c"))).FailsAsync("INTERNAL");
        await host.IsIdleAsync();
    }

    private static void WriteBroken(string folder)
    {
        TinyAdapter.Write(folder, seed: 4);
        var file = Path.Combine(folder, "adapter_model.safetensors");
        var content = File.ReadAllBytes(file);
        BinaryPrimitives.WriteSingleLittleEndian(content.AsSpan(content.Length - 8), float.NaN);
        AtomicFile.Write(file, content);
    }

    private static GenerateRequest WithLogprobs(GenerateRequest request)
    {
        request.TopLogprobs = 1;
        return request;
    }
}
