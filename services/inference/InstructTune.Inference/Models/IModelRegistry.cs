namespace InstructTune.Inference.Models;

/// <summary>Names into content.</summary>
internal interface IModelRegistry
{
    /// <exception cref="Requests.InferenceFault">There is no such version, or nobody can say.</exception>
    Task<VersionFacts> FindAsync(string name, CancellationToken cancellationToken);
}
