using InstructTune.Inference.Engine;

namespace InstructTune.Inference.Models;

/// <summary>
/// Versions in memory, on demand. One load per content, however many ask at once; a base is loaded once for all its adapters. Whoever
/// leaves early does not stop a load that others wait for.
/// </summary>
internal sealed partial class ModelStore(
    IModelLoader loader, ModelResidency residency, ModelMetrics metrics, TimeProvider time, ILogger<ModelStore> logger)
{
    public async Task<ModelLease> AcquireAsync(VersionFacts version, CancellationToken cancellationToken)
    {
        var (baseModel, content) = await EnterAsync(version.BaseOrSelf, parent: null, cancellationToken);
        if (version.Base is null)
        {
            return Lease(version, new ModelKey(baseModel.Key, AdapterKey: null), content, baseModel);
        }
        ResidentModel adapter;
        try
        {
            (adapter, _) = await EnterAsync(version, baseModel, cancellationToken);
        }
        catch
        {
            residency.Leave(baseModel);
            throw;
        }
        return Lease(version, new ModelKey(baseModel.Key, adapter.Key), content, adapter, baseModel);
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

    private ModelLease Lease(VersionFacts version, ModelKey key, ModelContent content, params ResidentModel[] residents)
    {
        try
        {
            return new ModelLease(version, key, content, Release);
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
        VersionFacts version, ResidentModel? parent, CancellationToken cancellationToken)
    {
        var (resident, isNew) = residency.Enter(version.ManifestSha256, version.Name, parent);
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
            Log.Unloaded(logger, resident.Sha256, resident.SizeBytes);
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
            using var load = await loader.OpenAsync(resident, CancellationToken.None);
            await UnloadAsync(residency.Reserve(resident, load.SizeBytes));
            var content = await load.RunAsync();
            Log.Loaded(logger, resident.Sha256, resident.SizeBytes);
            Record(resident, began, "loaded");
            resident.Loaded.SetResult(content);
        }
        catch (Exception exception)
        {
            residency.Forget(resident);
            Record(resident, began, "failed");
            resident.Loaded.SetException(exception);
        }
        finally
        {
            residency.Leave(resident);
        }
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
        [LoggerMessage(6020, LogLevel.Information, "Loaded {Sha256}: {SizeBytes} bytes.")]
        public static partial void Loaded(ILogger logger, string sha256, long sizeBytes);

        [LoggerMessage(6021, LogLevel.Information, "Unloaded {Sha256}: {SizeBytes} bytes.")]
        public static partial void Unloaded(ILogger logger, string sha256, long sizeBytes);
    }
}
