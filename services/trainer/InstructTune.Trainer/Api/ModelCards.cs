using InstructTune.Hosting;
using InstructTune.Storage;
using InstructTune.Trainer.Publishing;
using InstructTune.Trainer.Registry;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>The card of a version: the one among its files, else what the registry knows.</summary>
internal sealed class ModelCards(ModelRegistry registry, IArtifactStore artifacts)
{
    public async Task<GetModelCardResponse> GetAsync(GetModelCardRequest request, CancellationToken ct)
    {
        var parts = ResourceName.Parse("models/{model}/versions/{version}", request.Name, "name");
        var version = registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(request.Name);
        var path = Path.Combine((await artifacts.OpenAsync(version.ManifestSha256, ct)).Path, ModelCard.FileName);
        return new GetModelCardResponse
        {
            ModelVersion = version.Name,
            Markdown = File.Exists(path) ? await File.ReadAllTextAsync(path, ct) : BareCard.Render(version),
        };
    }
}
