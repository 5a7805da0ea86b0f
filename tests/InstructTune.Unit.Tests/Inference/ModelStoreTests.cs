using System.Diagnostics.Metrics;
using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace InstructTune.Unit.Tests.Inference;

public sealed class ModelStoreTests : IDisposable
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;
    private static readonly VersionFacts _base = new("models/base/versions/1", "sha-base", "alpaca", Base: null);
    private static readonly VersionFacts _adapter = new("models/red/versions/1", "sha-red", "alpaca", _base);

    private readonly GatedLoader _loader = new();
    private readonly FakeTimeProvider _time = new();
    private readonly ModelResidency _residency;
    private readonly ModelStore _store;

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public ModelStoreTests()
    {
        _residency = new ModelResidency(ceilingBytes: 1000, WeightForm.Torch, _time);
        _store = new ModelStore(
            _loader, _residency, new LoadFailures(_time), new ModelMetrics(_services.GetRequiredService<IMeterFactory>(), _residency), _time, NullLogger<ModelStore>.Instance);
    }

    public void Dispose()
    {
        _store.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task Adapters_of_one_base_load_it_once()
    {
        _loader.Gate.SetResult();

        using var red = await _store.AcquireAsync(_adapter, form: null, _ct);
        using var blue = await _store.AcquireAsync(_adapter with { Name = "models/blue/versions/1", ManifestSha256 = "sha-blue" }, form: null, _ct);

        Assert.Equal(["sha-base", "sha-red", "sha-blue"], _loader.Opened);
        Assert.Equal(red.Key.BaseKey, blue.Key.BaseKey);
        Assert.NotEqual(red.Key.AdapterKey, blue.Key.AdapterKey);
    }

    [Fact]
    public async Task Who_leaves_early_does_not_stop_a_load_that_others_wait_for()
    {
        using var cancellation = new CancellationTokenSource();
        var leaving = _store.AcquireAsync(_base, form: null, cancellation.Token);
        var staying = _store.AcquireAsync(_base, form: null, _ct);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        _loader.Gate.SetResult();

        using var lease = await staying;
        Assert.Equal(["sha-base"], _loader.Opened);
        Assert.Equal(1, Assert.Single(_residency.List()).Users);
    }

    [Fact]
    public async Task A_load_that_failed_for_the_moment_is_tried_again_by_the_next_request()
    {
        _loader.Gate.SetException(new IOException("away"));
        await Assert.ThrowsAsync<IOException>(() => _store.AcquireAsync(_adapter, form: null, _ct));

        Repair();
        using var lease = await _store.AcquireAsync(_adapter, form: null, _ct);

        Assert.Equal(["sha-base", "sha-base", "sha-red"], _loader.Opened);
    }

    [Fact]
    public async Task Broken_content_is_read_once_in_30_seconds_and_in_another_form_at_once()
    {
        _loader.Gate.SetException(new ModelFormatException("config.json", "x", "is broken"));
        await Assert.ThrowsAsync<ModelFormatException>(() => _store.AcquireAsync(_base, form: null, _ct));
        Repair();

        await Assert.ThrowsAsync<ModelFormatException>(() => _store.AcquireAsync(_base, form: null, _ct));
        Assert.Single(_loader.Opened);
        (await _store.AcquireAsync(_base, WeightForm.Int8, _ct)).Dispose();

        _time.Advance(TimeSpan.FromSeconds(31));
        (await _store.AcquireAsync(_base, form: null, _ct)).Dispose();
        Assert.Equal(3, _loader.Opened.Count);
    }

    [Fact]
    public async Task Who_repaired_it_need_not_wait()
    {
        _loader.Gate.SetException(new ArtifactCorruptException("sha-red", "adapter_model.safetensors"));
        await Assert.ThrowsAsync<ArtifactCorruptException>(() => _store.AcquireAsync(_base, form: null, _ct));
        Repair();

        _store.Retry(_adapter);

        (await _store.AcquireAsync(_base, form: null, _ct)).Dispose();
    }

    [Fact]
    public async Task Where_the_machine_has_no_memory_idle_models_leave_and_the_load_is_tried_once_more()
    {
        _loader.Gate.SetResult();
        (await _store.AcquireAsync(_adapter, form: null, _ct)).Dispose();
        using var used = await _store.AcquireAsync(_base with { ManifestSha256 = "sha-used" }, form: null, _ct);
        _loader.FreeBytes = 5;

        using var lease = await _store.AcquireAsync(_base with { ManifestSha256 = "sha-new" }, form: null, _ct);

        Assert.Equal(["sha-red", "sha-base"], _loader.Unloaded);
        Assert.Equal(["sha-new", "sha-new"], _loader.Opened.Skip(3));
        Assert.Equal(20, _residency.Count.BaseBytes);
    }

    [Fact]
    public async Task A_load_that_finds_no_memory_at_all_says_so_and_is_tried_again_by_the_next_request()
    {
        _loader.Gate.SetResult();
        _loader.FreeBytes = 5;

        var fault = await Assert.ThrowsAsync<InferenceFault>(() => _store.AcquireAsync(_base, form: null, _ct));
        _loader.FreeBytes = 10;

        Assert.Equal((FaultKind.ModelDoesNotFit, ("needed_bytes", "10")), (fault.Kind, fault.Metadata[0]));
        Assert.Empty(_residency.List());
        (await _store.AcquireAsync(_base, form: null, _ct)).Dispose();
    }

    [Fact]
    public async Task A_flood_of_versions_is_read_four_at_a_time()
    {
        _loader.Gate.SetResult();
        (await _store.AcquireAsync(_base, form: null, _ct)).Dispose();
        _loader.Gate = new TaskCompletionSource();
        var loads = Enumerable.Range(0, 20).Select(i => _store.AcquireAsync(_adapter with { ManifestSha256 = $"sha-{i}" }, form: null, _ct)).ToArray();
        await Eventually.HoldsAsync(() => _loader.Opened.Count == 1 + LoadTurns.Adapters, "as many as may be are being read");

        _loader.Gate.SetResult();

        foreach (var load in loads)
        {
            (await load).Dispose();
        }
        Assert.Equal(LoadTurns.Adapters, _loader.MostOpen);
    }

    [Fact]
    public async Task A_version_with_a_format_that_is_not_known_here_has_tokens_and_no_prompts()
    {
        _loader.Gate.SetResult();

        using var lease = await _store.AcquireAsync(_adapter with { PromptFormat = "of tomorrow" }, form: null, _ct);

        Assert.Equal(FaultKind.PromptFormatMissing, Assert.Throws<InferenceFault>(() => lease.Encoder).Kind);
    }

    [Fact]
    public async Task A_lease_is_given_back_once()
    {
        _loader.Gate.SetResult();
        var lease = await _store.AcquireAsync(_base, form: null, _ct);

        lease.Dispose();
        lease.Dispose();

        Assert.Equal(0, Assert.Single(_residency.List()).Users);
    }

    private void Repair()
    {
        _loader.Gate = new TaskCompletionSource();
        _loader.Gate.SetResult();
    }

    private sealed class GatedLoader : IModelLoader
    {
        private int _open;

        private readonly Lock _lock = new();
        private readonly List<string> _opened = [];

        public TaskCompletionSource Gate { get; set; } = new();

        public IReadOnlyList<string> Opened
        {
            get
            {
                lock (_lock)
                {
                    return [.. _opened];
                }
            }
        }

        public Task<IModelLoad> OpenAsync(ResidentModel resident, CancellationToken cancellationToken)
        {
            lock (_lock)
            {
                _opened.Add(resident.Sha256);
                MostOpen = Math.Max(MostOpen, ++_open);
            }
            return Task.FromResult<IModelLoad>(new GatedLoad(this, Gate.Task));
        }

        /// <summary>Loads that were open at once.</summary>
        public int MostOpen { get; private set; }

        /// <summary>What the machine has left.</summary>
        public long FreeBytes { get; set; } = long.MaxValue / 2;

        public List<string> Unloaded { get; } = [];

        public Task UnloadAsync(ResidentModel resident)
        {
            Unloaded.Add(resident.Sha256);
            FreeBytes += resident.SizeBytes;
            return Task.CompletedTask;
        }

        public void Allocate(long sizeBytes) => FreeBytes = sizeBytes <= FreeBytes ? FreeBytes - sizeBytes : throw new IOException("Cannot allocate memory");

        public void Close()
        {
            lock (_lock)
            {
                _open--;
            }
        }
    }

    private sealed class GatedLoad(GatedLoader loader, Task gate) : IModelLoad
    {
        public long SizeBytes => 10;

        public async Task<ModelContent> RunAsync()
        {
            await gate;
            loader.Allocate(SizeBytes);
            return new ModelContent(null!, null!, VocabularySize: 10, ContextTokens: 10);
        }

        public void Dispose() => loader.Close();
    }
}
