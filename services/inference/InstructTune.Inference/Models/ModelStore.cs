using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Inference.Models;

/// <summary>
/// Versions in memory, on demand. One load per content, however many ask at once; a base is loaded once for all its adapters. Whoever
/// leaves early does not stop a load that others wait for.
/// </summary>
internal sealed partial class ModelStore(
    IModelLoader loader, ModelResidency residency, LoadFailures failures, ModelMetrics metrics, TimeProvider time, ILogger<ModelStore> logger) : IDisposable
{
    private readonly LoadTurns _turns = new();

    /// <summary>The form that a version's full weights are served in.</summary>
    public WeightForm FormOf(VersionFacts version) => residency.FormOf(version.BaseOrSelf.ManifestSha256);

    /// <param name="version">The version.</param>
    /// <param name="form">Of its base; null for the one that is served.</param>
    /// <param name="cancellationToken">Ends the wait, not the load.</param>
    public async Task<ModelLease> AcquireAsync(VersionFacts version, WeightForm? form, CancellationToken cancellationToken)
    {
        var (baseModel, content) = await EnterAsync(version.BaseOrSelf, parent: null, form, cancellationToken);
        if (version.Base is null)
        {
            return Lease(version, baseModel.Form, new ModelKey(baseModel.Key, AdapterKey: null), content, baseModel);
        }
        ResidentModel adapter;
        try
        {
            (adapter, _) = await EnterAsync(version, baseModel, baseModel.Form, cancellationToken);
        }
        catch
        {
            residency.Leave(baseModel);
            throw;
        }
        return Lease(version, baseModel.Form, new ModelKey(baseModel.Key, adapter.Key), content, adapter, baseModel);
    }

    /// <summary>Frees a version that nobody uses; what is in use is no longer pinned. False when it is not in memory.</summary>
    public async Task<bool> ReleaseAsync(string name)
    {
        residency.Pin(name, isPinned: false);
        if (residency.TryRemove(name) is not { } leaving)
        {
            return false;
        }
        await UnloadAsync(leaving);
        return true;
    }

    /// <summary>Frees what nobody has used for so long, and is not pinned.</summary>
    public Task ReleaseIdleAsync(TimeSpan idleTime) => UnloadAsync(residency.TakeIdle(idleTime));

    /// <summary>The next request reads the version's files again, also if they were found broken.</summary>
    public void Retry(VersionFacts version)
    {
        failures.Forget(version.BaseOrSelf.ManifestSha256);
        failures.Forget(version.ManifestSha256);
    }

    /// <summary>From now on a content is served in that form; what nobody uses of its others is freed.</summary>
    public Task ServeAsync(string sha256, WeightForm form) => UnloadAsync(residency.Choose(sha256, form));

    public void Dispose() => _turns.Dispose();

    private ModelLease Lease(VersionFacts version, WeightForm form, ModelKey key, ModelContent content, params ResidentModel[] residents)
    {
        try
        {
            return new ModelLease(version, form, key, content, Release);
        }
        catch
        {
            Release();
            throw;
        }

        void Release()
        {
            foreach (var resident in residents)
            {
                residency.Leave(resident);
            }
        }
    }

    private async Task<(ResidentModel Model, ModelContent Content)> EnterAsync(
        VersionFacts version, ResidentModel? parent, WeightForm? form, CancellationToken cancellationToken)
    {
        if (failures.TryFind(version.ManifestSha256, parent, form ?? FormOf(version), out var reason))
        {
            throw reason;
        }
        var (resident, isNew) = residency.Enter(version.ManifestSha256, version.Name, parent, form);
        if (isNew)
        {
            // Not awaited: its outcome is in resident.Loaded, for this caller and for all who come meanwhile.
            _ = Task.Run(() => LoadAsync(resident), CancellationToken.None);
        }
        try
        {
            return (resident, await resident.Loaded.Task.WaitAsync(cancellationToken));
        }
        catch
        {
            residency.Leave(resident);
            throw;
        }
    }

    private async Task UnloadAsync(IEnumerable<ResidentModel> leaving)
    {
        foreach (var resident in leaving)
        {
            await loader.UnloadAsync(resident);
            Log.Unloaded(logger, resident.Sha256, resident.Form.Name, resident.SizeBytes);
            if (resident.Parent is not null)
            {
                metrics.RecordEviction();
            }
        }
    }

    private async Task LoadAsync(ResidentModel resident)
    {
        var began = time.GetTimestamp();
        try
        {
            using var turn = await _turns.EnterAsync(resident);
            var content = await ReadWithRoomAsync(resident);
            Log.Loaded(logger, resident.Sha256, resident.Form.Name, resident.SizeBytes);
            Record(resident, began, "loaded");
            resident.Loaded.SetResult(content);
        }
        catch (Exception exception)
        {
            residency.Forget(resident);
            failures.Add(resident, exception);
            Record(resident, began, "failed");
            resident.Loaded.SetException(exception);
        }
        finally
        {
            residency.Leave(resident);
        }
    }

    /// <summary>The machine may have less memory than is allowed: then whatever nobody uses leaves, and the load is tried once more.</summary>
    private async Task<ModelContent> ReadWithRoomAsync(ResidentModel resident)
    {
        try
        {
            return await ReadAsync(resident);
        }
        catch (Exception exception) when (MemoryShortage.Caused(exception))
        {
            Log.MemoryShort(logger, exception, resident.Sha256, resident.Form.Name);
            await ReleaseIdleAsync(TimeSpan.Zero);
        }
        try
        {
            return await ReadAsync(resident);
        }
        catch (Exception exception) when (MemoryShortage.Caused(exception))
        {
            throw new InferenceFault(
                FaultKind.ModelDoesNotFit,
                $"The machine has no memory for the model's {resident.SizeBytes} bytes, though Inference:ModelBytes allows them and nothing idle is left in memory.",
                ("needed_bytes", $"{resident.SizeBytes}"));
        }
    }

    private async Task<ModelContent> ReadAsync(ResidentModel resident)
    {
        using var load = await loader.OpenAsync(resident, CancellationToken.None);
        await UnloadAsync(residency.Reserve(resident, load.SizeBytes));
        return await load.RunAsync();
    }

    private void Record(ResidentModel resident, long began, string outcome)
    {
        if (resident.Parent is not null)
        {
            metrics.RecordLoad(time.GetElapsedTime(began), outcome);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(6020, LogLevel.Information, "Loaded {Sha256} as {Format}: {SizeBytes} bytes.")]
        public static partial void Loaded(ILogger logger, string sha256, string format, long sizeBytes);

        [LoggerMessage(6021, LogLevel.Information, "Unloaded {Sha256} as {Format}: {SizeBytes} bytes.")]
        public static partial void Unloaded(ILogger logger, string sha256, string format, long sizeBytes);

        [LoggerMessage(6023, LogLevel.Warning, "No memory to load {Sha256} as {Format}; what is idle leaves, then it is tried again.")]
        public static partial void MemoryShort(ILogger logger, Exception exception, string sha256, string format);
    }
}
