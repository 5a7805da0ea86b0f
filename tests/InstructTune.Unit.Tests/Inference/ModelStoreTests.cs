using System.Diagnostics.Metrics;
using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace InstructTune.Unit.Tests.Inference;

public sealed class ModelStoreTests : IDisposable
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;
    private static readonly VersionFacts _base = new("models/base/versions/1", "sha-base", "alpaca", Base: null);
    private static readonly VersionFacts _adapter = new("models/red/versions/1", "sha-red", "alpaca", _base);

    private readonly GatedLoader _loader = new();
    private readonly ModelResidency _residency = new(ceilingBytes: 1000);
    private readonly ModelStore _store;

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public ModelStoreTests() => _store = new ModelStore(
        _loader, _residency, new ModelMetrics(_services.GetRequiredService<IMeterFactory>(), _residency), TimeProvider.System, NullLogger<ModelStore>.Instance);

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task Adapters_of_one_base_load_it_once()
    {
        _loader.Gate.SetResult();

        using var red = await _store.AcquireAsync(_adapter, _ct);
        using var blue = await _store.AcquireAsync(_adapter with { Name = "models/blue/versions/1", ManifestSha256 = "sha-blue" }, _ct);

        Assert.Equal(["sha-base", "sha-red", "sha-blue"], _loader.Opened);
        Assert.Equal(red.Key.BaseKey, blue.Key.BaseKey);
        Assert.NotEqual(red.Key.AdapterKey, blue.Key.AdapterKey);
    }

    [Fact]
    public async Task Who_leaves_early_does_not_stop_a_load_that_others_wait_for()
    {
        using var cancellation = new CancellationTokenSource();
        var leaving = _store.AcquireAsync(_base, cancellation.Token);
        var staying = _store.AcquireAsync(_base, _ct);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        _loader.Gate.SetResult();

        using var lease = await staying;
        Assert.Equal(["sha-base"], _loader.Opened);
        Assert.Equal(1, Assert.Single(_residency.List()).Users);
    }

    [Fact]
    public async Task A_load_that_failed_is_tried_again_by_the_next_request()
    {
        _loader.Gate.SetException(new IOException("broken"));
        await Assert.ThrowsAsync<IOException>(() => _store.AcquireAsync(_adapter, _ct));

        _loader.Gate = new TaskCompletionSource();
        _loader.Gate.SetResult();
        using var lease = await _store.AcquireAsync(_adapter, _ct);

        Assert.Equal(["sha-base", "sha-base", "sha-red"], _loader.Opened);
    }

    [Fact]
    public async Task A_version_with_a_format_that_is_not_known_here_has_tokens_and_no_prompts()
    {
        _loader.Gate.SetResult();

        using var lease = await _store.AcquireAsync(_adapter with { PromptFormat = "of tomorrow" }, _ct);

        Assert.Equal(FaultKind.PromptFormatMissing, Assert.Throws<InferenceFault>(() => lease.Encoder).Kind);
    }

    [Fact]
    public async Task A_lease_is_given_back_once()
    {
        _loader.Gate.SetResult();
        var lease = await _store.AcquireAsync(_base, _ct);

        lease.Dispose();
        lease.Dispose();

        Assert.Equal(0, Assert.Single(_residency.List()).Users);
    }

    private sealed class GatedLoader : IModelLoader
    {
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
            }
            return Task.FromResult<IModelLoad>(new GatedLoad(Gate.Task));
        }

        public Task UnloadAsync(ResidentModel resident) => Task.CompletedTask;
    }

    private sealed class GatedLoad(Task gate) : IModelLoad
    {
        public long SizeBytes => 10;

        public async Task<ModelContent> RunAsync()
        {
            await gate;
            return new ModelContent(null!, null!, VocabularySize: 10, ContextTokens: 10);
        }

        public void Dispose()
        {
        }
    }
}
