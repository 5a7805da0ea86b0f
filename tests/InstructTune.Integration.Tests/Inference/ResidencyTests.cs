using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

public sealed class ResidencyTests
{
    private const string OtherBase = "models/other/versions/1";

    [Fact]
    [Covers("InferenceService/ListServedModels", "OK")]
    public async Task Served_models_are_those_in_memory_with_what_they_take()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        Assert.Empty((await ListAsync(host)).ServedModels);

        await host.GenerateAsync(Requests.Greedy(InferenceHost.Red, "x"));
        using var running = await HeldStream.StartAsync(host, Requests.Endless(InferenceHost.Red));
        var served = (await ListAsync(host)).ServedModels;

        Assert.Equal([InferenceHost.Base, InferenceHost.Red], served.Select(model => model.ModelVersion));
        Assert.All(served, model => Assert.True(model.DeviceBytes > 0));
        Assert.All(served, model => Assert.NotEmpty(model.Numerics));
        Assert.All(served, model => Assert.Equal("true", model.Numerics["deterministic"]));
        Assert.Equal(1, served[1].RunningCount);
    }

    [Fact]
    public async Task New_content_under_an_old_name_is_served_at_once()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = Requests.Greedy(InferenceHost.Red, "the same question");
        var old = await host.GenerateAsync(request);

        await host.PublishAdapterAsync(InferenceHost.Red, InferenceHost.Base, seed: 99);
        await host.PublishAdapterAsync("models/fresh/versions/1", InferenceHost.Base, seed: 99);
        var now = await host.GenerateAsync(request);
        request.Model = "models/fresh/versions/1";
        var fresh = await host.GenerateAsync(request);

        Assert.NotEqual(old.TokenIds, now.TokenIds);
        Assert.Equal(fresh.TokenIds, now.TokenIds);
    }

    [Fact]
    public async Task First_requests_that_come_together_load_a_model_once()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => host.GenerateAsync(Requests.Greedy(InferenceHost.Blue, "go", 4))));

        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        Assert.Equal(2, (await ListAsync(host)).ServedModels.Count);
    }

    [Fact]
    public async Task What_was_used_least_recently_leaves_when_memory_is_needed_and_comes_back_the_same()
    {
        // A tiny model takes 0.56 MB, its cache 0.26 MB, its steps 1.34 MB and an adapter 0.05 MB: two bases fit, three do not.
        await using var host = await InferenceHost.StartWithModelsAsync(
            ("Inference:ModelBytes", "4800000"), ("Inference:CacheBytes", "262144"));
        await host.PublishBaseAsync(OtherBase, seed: 8);
        await host.PublishBaseAsync("models/third/versions/1", seed: 9);
        var red = Requests.Greedy(InferenceHost.Red, "remember me");
        var before = await host.GenerateAsync(red);
        await host.GenerateAsync(Requests.Greedy(OtherBase, "x"));

        await host.GenerateAsync(Requests.Greedy("models/third/versions/1", "x"));
        var resident = (await ListAsync(host)).ServedModels.Select(model => model.ModelVersion);
        var after = await host.GenerateAsync(red);

        Assert.Equal([OtherBase, "models/third/versions/1"], resident);
        Assert.Equal(before.TokenIds, after.TokenIds);
    }

    [Fact]
    public async Task What_nobody_used_for_the_time_that_is_set_leaves_and_comes_back_with_the_next_request()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:KeepIdle", "00:00:01"));
        var request = Requests.Greedy(InferenceHost.Red, "remember me");
        var before = await host.GenerateAsync(request);
        await host.Client.LoadModelVersionAsync(
            new LoadModelVersionRequest { Name = InferenceHost.Blue, Pinned = true }, cancellationToken: TestContext.Current.CancellationToken);

        await Eventually.HoldsAsync(async () => (await ListAsync(host)).ServedModels.Count == 2, "the adapter that nobody uses has left");

        Assert.Equal([InferenceHost.Base, InferenceHost.Blue], (await ListAsync(host)).ServedModels.Select(model => model.ModelVersion));
        Assert.Equal(before.TokenIds, (await host.GenerateAsync(request)).TokenIds);
    }

    [Fact]
    public async Task Models_in_use_are_never_evicted()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(
            ("Inference:ModelBytes", "3000000"), ("Inference:CacheBytes", "262144"));
        await host.PublishBaseAsync(OtherBase, seed: 8);
        using var running = await HeldStream.StartAsync(host, Requests.Endless(InferenceHost.Base));

        await host.GenerateAsync(Requests.Greedy(OtherBase, "x")).FailsAsync("QUEUE_FULL");
    }

    [Theory]
    [InlineData("torch")]
    [InlineData("int8")]
    public async Task A_version_that_is_deleted_with_its_files_while_it_answers_is_finished_and_then_not_found(string weightFormat)
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", weightFormat));
        var request = Requests.Sampled(InferenceHost.Red, "to the end", seed: 6, maxTokens: 60);
        request.Sampling.IgnoreEos = true;
        var expected = await host.GenerateAsync(request);
        using var running = await HeldStream.StartAsync(host, request);
        Directory.Delete(host.ArtifactFolder(host.Registry.ContentOf(InferenceHost.Red)), recursive: true);
        host.Registry.Remove(InferenceHost.Red);
        await host.GenerateAsync(request).FailsAsync("RESOURCE_NOT_FOUND");

        Assert.Equal(expected.TokenIds, (await running.FinishAsync()).SelectMany(message => message.TokenIds));
        // What was remembered of it is not served when the registry is away either.
        host.Registry.IsAway = true;
        await host.GenerateAsync(request).FailsAsync("PEER_UNREACHABLE");
    }

    [Fact]
    public async Task Latest_follows_the_registry()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = Requests.Greedy("models/base/versions/latest", "x");
        Assert.Equal("models/base/versions/1", (await host.GenerateAsync(request)).ModelVersion);

        await host.PublishBaseAsync("models/base/versions/2", seed: 44);

        Assert.Equal("models/base/versions/2", (await host.GenerateAsync(request)).ModelVersion);
    }

    private static async Task<ListServedModelsResponse> ListAsync(InferenceHost host) =>
        await host.Client.ListServedModelsAsync(new ListServedModelsRequest(), cancellationToken: TestContext.Current.CancellationToken);
}
