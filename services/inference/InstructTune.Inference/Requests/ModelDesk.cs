using InstructTune.Inference.Models;

namespace InstructTune.Inference.Requests;

/// <summary>Operators' requests to bring versions into memory and to take them out.</summary>
internal sealed class ModelDesk(IModelRegistry registry, ModelStore models, ModelResidency residency)
{
    /// <summary>Loads a version; a pinned one stays until it is released. In another form than it is served in, it takes that one's place.</summary>
    public async Task<ResidentSnapshot> LoadAsync(string name, bool isPinned, WeightForm? form, CancellationToken cancellationToken)
    {
        var version = await registry.FindAsync(name, cancellationToken);
        if (form is not null && version.Base is not null)
        {
            throw new InvalidFieldsException([new FieldProblem("weight_format", "is of full weights; an adapter has its base's")]);
        }
        models.Retry(version);
        using var lease = await models.AcquireAsync(version, form, cancellationToken);
        if (form is not null)
        {
            await ServeAsync(version.ManifestSha256, form, cancellationToken);
        }
        if (isPinned)
        {
            residency.Pin(version.Name, isPinned: true);
        }
        var loaded = residency.List().First(resident => resident.Name == version.Name && resident.Form == lease.Form);
        // But for the load itself.
        return loaded with { Users = loaded.Users - 1 };
    }

    /// <summary>The name as it stands comes first: what is in memory can be taken out also when the registry knows it no more.</summary>
    public async Task ReleaseAsync(string name, CancellationToken cancellationToken)
    {
        if (!await models.ReleaseAsync(name) && !await models.ReleaseAsync((await registry.FindAsync(name, cancellationToken)).Name))
        {
            throw new InferenceFault(FaultKind.ModelNotFound, $"{name} is not in memory.", ("resource", name));
        }
    }

    /// <summary>Adapters that are pinned over the old form come along: they are over the new one before anybody is sent there.</summary>
    private async Task ServeAsync(string sha256, WeightForm form, CancellationToken cancellationToken)
    {
        List<ModelLease> adapters = [];
        try
        {
            foreach (var name in residency.PinnedOverOthers(sha256, form))
            {
                adapters.Add(await models.AcquireAsync(await registry.FindAsync(name, cancellationToken), form, cancellationToken));
            }
            await models.ServeAsync(sha256, form);
            foreach (var adapter in adapters)
            {
                residency.Pin(adapter.VersionName, isPinned: true);
            }
        }
        finally
        {
            adapters.ForEach(adapter => adapter.Dispose());
        }
    }
}
