using Google.Rpc;
using Grpc.Core;
using InstructTune.Modeling.Numerics;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.Extensions.Options;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>The number format of weights, chosen version by version while the service runs.</summary>
public sealed class WeightFormatTests
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(WeightFormat.Bfloat16, "bfloat16")]
    [InlineData(WeightFormat.Int8, "int8")]
    [InlineData(WeightFormat.Int4, "int4")]
    public async Task A_version_loaded_in_a_format_answers_as_in_a_service_that_is_configured_so(WeightFormat format, string configured)
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        await using var twin = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", configured));

        var served = await LoadAsync(host, InferenceHost.Base, format);

        Assert.Equal((format, configured, 0), (served.WeightFormat, served.Numerics["element_type"], served.RunningCount));
        Assert.InRange(served.Parity.TokenCount, 50, 2000);
        foreach (var model in (string[])[InferenceHost.Base, InferenceHost.Red])
        {
            var request = Requests.Sampled(model, "once upon a time", seed: 3);
            var answer = await host.GenerateAsync(request);
            Assert.Equal(format, answer.WeightFormat);
            Assert.Equal((await twin.GenerateAsync(request)).TokenIds, answer.TokenIds);
            var told = (await host.StreamAsync(request)).Select(message => message.WeightFormat).ToList();
            Assert.Equal(format, told[0]);
            Assert.All(told.Skip(1), later => Assert.Equal(WeightFormat.Unspecified, later));
            Assert.Equal(format, (await host.ScoreAsync(Requests.Score(model, ("once", " upon")))).WeightFormat);
        }
    }

    [Fact]
    [Covers("InferenceService/Generate", "WEIGHT_FORMAT_NOT_SERVED")]
    [Covers("InferenceService/StreamGenerate", "WEIGHT_FORMAT_NOT_SERVED")]
    [Covers("InferenceService/Score", "WEIGHT_FORMAT_NOT_SERVED")]
    public async Task Who_insists_on_another_format_is_refused_before_anything_is_loaded()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = Requests.Greedy(InferenceHost.Red, "x");
        var score = Requests.Score(InferenceHost.Red, ("once", " upon"));
        request.WeightFormat = score.WeightFormat = WeightFormat.Int8;

        var refusal = await host.GenerateAsync(request).FailsAsync("WEIGHT_FORMAT_NOT_SERVED");
        Assert.Equal("float32", refusal.GetRpcStatus()!.GetDetail<ErrorInfo>().Metadata["served"]);
        await host.StreamAsync(request).FailsAsync("WEIGHT_FORMAT_NOT_SERVED");
        await host.ScoreAsync(score).FailsAsync("WEIGHT_FORMAT_NOT_SERVED");
        Assert.Empty(await ListAsync(host));

        await LoadAsync(host, InferenceHost.Base, WeightFormat.Int8);
        Assert.Equal(WeightFormat.Int8, (await host.GenerateAsync(request)).WeightFormat);
        Assert.Equal(WeightFormat.Int8, (await host.ScoreAsync(score)).WeightFormat);
        request.WeightFormat = WeightFormat.Float32;
        await host.GenerateAsync(request).FailsAsync("WEIGHT_FORMAT_NOT_SERVED");
    }

    [Fact]
    public async Task A_change_of_format_ends_no_request_and_the_old_weights_leave_after_the_last()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var whole = Requests.Sampled(InferenceHost.Red, "once upon a time", seed: 5, maxTokens: 450);
        whole.Sampling.MinTokens = 450;
        var alone = await host.GenerateAsync(whole);
        using var running = await HeldStream.StartAsync(host, whole);

        // The load has the engine's thread between two steps.
        await running.Engine.StepUntilAsync(LoadAsync(host, InferenceHost.Base, WeightFormat.Int8));
        var other = await running.Engine.StepUntilAsync(host.GenerateAsync(Requests.Greedy(InferenceHost.Red, "x")));
        Assert.Equal((WeightFormat.Int8, 1), (other.WeightFormat, host.Engine.Counters.Running));
        var messages = await running.FinishAsync();

        Assert.Equal(WeightFormat.Float32, running.First.WeightFormat);
        Assert.Equal(alone.TokenIds, messages.SelectMany(message => message.TokenIds));
        await host.IsIdleAsync();
        await LoadAsync(host, InferenceHost.Base, WeightFormat.Int8);
        Assert.Equal(
            [(InferenceHost.Base, WeightFormat.Int8), (InferenceHost.Red, WeightFormat.Int8)],
            (await ListAsync(host)).Select(model => (model.ModelVersion, model.WeightFormat)));
    }

    [Fact]
    public async Task Pinned_adapters_are_pinned_over_the_new_weights()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        await host.Client.LoadModelVersionAsync(new LoadModelVersionRequest { Name = InferenceHost.Red, Pinned = true }, cancellationToken: _ct);

        await LoadAsync(host, InferenceHost.Base, WeightFormat.Int4);

        Assert.Equal(
            [(InferenceHost.Base, WeightFormat.Int4, true), (InferenceHost.Red, WeightFormat.Int4, true)],
            (await ListAsync(host)).Select(model => (model.ModelVersion, model.WeightFormat, model.Pinned)));
    }

    [Fact]
    public async Task The_format_lasts_until_the_version_is_unloaded()
    {
        // One tiny model with its cache and the room for steps of our kernels fits, two do not.
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:ModelBytes", "2300000"), ("Inference:CacheBytes", "262144"));
        const string Other = "models/other/versions/1";
        await host.PublishBaseAsync(Other, seed: 8);
        await LoadAsync(host, InferenceHost.Base, WeightFormat.Int8);

        await host.GenerateAsync(Requests.Greedy(Other, "x"));
        Assert.Equal([Other], (await ListAsync(host)).Select(model => model.ModelVersion));
        Assert.Equal(WeightFormat.Int8, (await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "x"))).WeightFormat);

        await host.Client.UnloadModelVersionAsync(new UnloadModelVersionRequest { Name = InferenceHost.Base }, cancellationToken: _ct);
        Assert.Equal(WeightFormat.Float32, (await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "x"))).WeightFormat);
    }

    [Fact]
    public async Task A_service_without_a_GPU_that_is_told_to_use_one_does_not_start_and_says_what_to_do()
    {
        Assert.SkipWhen(ComputeDevice.HasGraphics, "this machine has a GPU");

        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => InferenceHost.StartAsync(("Inference:WeightFormat", ComputeDevice.Graphics)));

        Assert.Contains("finds no GPU: build with -p:TorchBackend=cuda", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_format_of_an_adapter_or_one_that_does_not_exist_is_refused_by_field()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();

        Assert.Equal(["weight_format"], (await LoadAsync(host, InferenceHost.Red, WeightFormat.Int8).FailsAsync("FIELD_INVALID")).Fields());
        await LoadAsync(host, InferenceHost.Base, (WeightFormat)99).FailsAsync("FIELD_INVALID");
        var request = Requests.Greedy(InferenceHost.Base, "x");
        request.WeightFormat = (WeightFormat)(-1);
        await host.GenerateAsync(request).FailsAsync("FIELD_INVALID");
    }

    [Fact]
    public async Task Quantized_weights_are_kept_with_their_certificate_and_made_again_when_they_are_damaged()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = Requests.Greedy(InferenceHost.Base, "once upon a time");
        var made = await LoadAsync(host, InferenceHost.Base, WeightFormat.Int8);
        var answer = await host.GenerateAsync(request);
        var weights = Assert.Single(Directory.EnumerateFiles(host.ArtifactFolder(""), "model.gguf", SearchOption.AllDirectories));
        Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(weights)!, "parity.json")));
        var written = File.GetLastWriteTimeUtc(weights);

        var kept = await AgainAsync();
        Assert.Equal((made.Parity, made.DeviceBytes), (kept.Parity, kept.DeviceBytes));
        Assert.Equal(answer.TokenIds, (await host.GenerateAsync(request)).TokenIds);
        Assert.Equal(written, File.GetLastWriteTimeUtc(weights));

        Directory.Delete(Path.GetDirectoryName(weights)!, recursive: true);
        Assert.Equal(made.Parity, (await AgainAsync()).Parity);
        Assert.Equal(answer.TokenIds, (await host.GenerateAsync(request)).TokenIds);
        Assert.True(File.Exists(weights));

        async Task<ServedModel> AgainAsync()
        {
            await host.Client.UnloadModelVersionAsync(new UnloadModelVersionRequest { Name = InferenceHost.Base }, cancellationToken: _ct);
            return await LoadAsync(host, InferenceHost.Base, WeightFormat.Int8);
        }
    }

    private static async Task<ServedModel> LoadAsync(InferenceHost host, string name, WeightFormat format) =>
        await host.Client.LoadModelVersionAsync(new LoadModelVersionRequest { Name = name, WeightFormat = format }, cancellationToken: _ct);

    private static async Task<IReadOnlyList<ServedModel>> ListAsync(InferenceHost host) =>
        [.. (await host.Client.ListServedModelsAsync(new ListServedModelsRequest(), cancellationToken: _ct)).ServedModels];
}
