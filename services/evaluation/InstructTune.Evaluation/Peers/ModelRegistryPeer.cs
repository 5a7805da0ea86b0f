using InstructTune.Evaluation.Runs;
using InstructTune.V1;
using Microsoft.Extensions.Options;

namespace InstructTune.Evaluation.Peers;

/// <summary>Model versions as the registry has them.</summary>
internal sealed class ModelRegistryPeer(
    ModelRegistryService.ModelRegistryServiceClient client, IOptions<EvaluationOptions> options, TimeProvider clock) : IModels
{
    public async Task<ModelFacts> ResolveAsync(string modelVersion, CancellationToken ct)
    {
        var request = new GetModelVersionRequest { Name = modelVersion };
        var version = await client.GetModelVersionAsync(request, PeerCall.Within(options.Value.ReadTimeout, clock, ct));
        return new ModelFacts(version.Name, version.ManifestSha256, version.PromptFormatSha256);
    }
}
