using InstructTune.Inference.Models;

namespace InstructTune.Inference.Requests;

/// <summary>Operators' requests to bring versions into memory and to take them out.</summary>
internal sealed class ModelDesk(IModelRegistry registry, ModelStore models, ModelResidency residency)
{
    /// <summary>Loads a version; a pinned one stays until it is released.</summary>
    public async Task<ResidentSnapshot> LoadAsync(string name, bool isPinned, CancellationToken cancellationToken)
    {
        var version = await registry.FindAsync(name, cancellationToken);
        using var lease = await models.AcquireAsync(version, cancellationToken);
        if (isPinned)
        {
            residency.Pin(version.Name, isPinned: true);
        }
        return residency.List().First(resident => resident.Name == version.Name);
    }

    public async Task ReleaseAsync(string name)
    {
        if (!await models.ReleaseAsync(name))
        {
            throw new InferenceFault(FaultKind.ModelNotFound, $"{name} is not in memory.", ("resource", name));
        }
    }
}
