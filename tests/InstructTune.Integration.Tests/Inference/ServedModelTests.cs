using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Versions that operators bring into memory, pin and take out.</summary>
public sealed class ServedModelTests
{
    private const string Other = "models/other/versions/1";

    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    [Covers("InferenceService/LoadModelVersion", "OK")]
    [Covers("InferenceService/UnloadModelVersion", "OK")]
    public async Task A_pinned_adapter_and_its_base_stay_when_others_need_room_until_they_are_released()
    {
        // Two bases fit, three do not.
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:ModelBytes", "4800000"), ("Inference:CacheBytes", "262144"));
        await host.PublishBaseAsync(Other, seed: 8);
        await host.PublishBaseAsync("models/third/versions/1", seed: 9);

        var served = await LoadAsync(host, InferenceHost.Red, isPinned: true);
        Assert.True(served is { Pinned: true, DeviceBytes: > 0 });
        await host.GenerateAsync(Requests.Greedy(Other, "x"));
        await host.GenerateAsync(Requests.Greedy("models/third/versions/1", "x"));
        Assert.Equal([InferenceHost.Base, InferenceHost.Red, "models/third/versions/1"], await NamesAsync(host));

        await UnloadAsync(host, InferenceHost.Red);
        Assert.Equal([InferenceHost.Base, "models/third/versions/1"], await NamesAsync(host));
        await host.GenerateAsync(Requests.Greedy(Other, "x"));
        Assert.Equal([Other, "models/third/versions/1"], await NamesAsync(host));
    }

    [Fact]
    public async Task The_newest_version_is_loaded_and_released_by_its_alias_and_by_its_name_without_the_registry()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        const string latest = "models/red/versions/latest";

        Assert.Equal(InferenceHost.Red, (await LoadAsync(host, latest)).ModelVersion);
        await UnloadAsync(host, latest);
        Assert.Equal([InferenceHost.Base], await NamesAsync(host));

        host.Registry.IsAway = true;
        await UnloadAsync(host, InferenceHost.Base);
        Assert.Empty(await NamesAsync(host));
    }

    [Fact]
    public async Task What_is_in_use_is_not_taken_away_from_under_a_request()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = Requests.Endless(InferenceHost.Red);
        var alone = await host.GenerateAsync(request);
        using var running = await HeldStream.StartAsync(host, request);

        await UnloadAsync(host, InferenceHost.Red);
        await UnloadAsync(host, InferenceHost.Base);

        Assert.Contains(InferenceHost.Red, await NamesAsync(host));
        Assert.Equal(alone.TokenIds, (await running.FinishAsync()).SelectMany(message => message.TokenIds));
    }

    [Fact]
    [Covers("InferenceService/LoadModelVersion", "FIELD_INVALID")]
    [Covers("InferenceService/LoadModelVersion", "RESOURCE_NOT_FOUND")]
    [Covers("InferenceService/LoadModelVersion", "PEER_UNREACHABLE")]
    [Covers("InferenceService/UnloadModelVersion", "FIELD_INVALID")]
    [Covers("InferenceService/UnloadModelVersion", "RESOURCE_NOT_FOUND")]
    [Covers("InferenceService/UnloadModelVersion", "PEER_UNREACHABLE")]
    public async Task Names_that_mean_nothing_are_refused()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();

        await LoadAsync(host, "red").FailsAsync("FIELD_INVALID");
        await LoadAsync(host, "models/nobody/versions/1").FailsAsync("RESOURCE_NOT_FOUND");
        await UnloadAsync(host, "red").FailsAsync("FIELD_INVALID");
        await UnloadAsync(host, InferenceHost.Red).FailsAsync("RESOURCE_NOT_FOUND");
        host.Registry.IsAway = true;
        await LoadAsync(host, InferenceHost.Blue).FailsAsync("PEER_UNREACHABLE");
        await UnloadAsync(host, InferenceHost.Blue).FailsAsync("PEER_UNREACHABLE");
    }

    [Fact]
    [Covers("InferenceService/LoadModelVersion", "MODEL_DOES_NOT_FIT")]
    [Covers("InferenceService/LoadModelVersion", "QUEUE_FULL")]
    [Covers("InferenceService/LoadModelVersion", "ARTIFACT_CORRUPT")]
    public async Task What_cannot_be_loaded_is_told_with_its_reason()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:ModelBytes", "3000000"), ("Inference:CacheBytes", "262144"));
        await host.PublishBaseAsync(Other, seed: 8, contextTokens: 256);
        var damaged = await host.PublishAdapterAsync("models/damaged/versions/1", InferenceHost.Base, seed: 77);
        var file = Path.Combine(host.ArtifactFolder(damaged), "adapter_model.safetensors");
        var content = await File.ReadAllBytesAsync(file, _ct);
        content[^3] ^= 1;
        File.Delete(file);
        await File.WriteAllBytesAsync(file, content, _ct);

        await LoadAsync(host, InferenceHost.Base, isPinned: true);
        await LoadAsync(host, Other).FailsAsync("QUEUE_FULL");
        await LoadAsync(host, "models/damaged/versions/1").FailsAsync("ARTIFACT_CORRUPT");
        await using var tiny = await InferenceHost.StartWithModelsAsync(("Inference:ModelBytes", "1000"));
        await LoadAsync(tiny, InferenceHost.Base).FailsAsync("MODEL_DOES_NOT_FIT");
    }

    private static async Task<ServedModel> LoadAsync(InferenceHost host, string name, bool isPinned = false) =>
        await host.Client.LoadModelVersionAsync(new LoadModelVersionRequest { Name = name, Pinned = isPinned }, cancellationToken: _ct);

    private static async Task UnloadAsync(InferenceHost host, string name) =>
        await host.Client.UnloadModelVersionAsync(new UnloadModelVersionRequest { Name = name }, cancellationToken: _ct);

    private static async Task<string[]> NamesAsync(InferenceHost host) =>
        [.. (await host.Client.ListServedModelsAsync(new ListServedModelsRequest(), cancellationToken: _ct)).ServedModels.Select(model => model.ModelVersion)];
}
