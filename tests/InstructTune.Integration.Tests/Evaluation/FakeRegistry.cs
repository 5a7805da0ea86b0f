using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Evaluation;

/// <summary>A registry that has every model but <c>models/none</c>; <c>latest</c> is version 1.</summary>
internal sealed class FakeRegistry : ModelRegistryService.ModelRegistryServiceBase
{
    public override Task<ModelVersion> GetModelVersion(GetModelVersionRequest request, ServerCallContext context)
    {
        if (request.Name.StartsWith("models/none/", StringComparison.Ordinal))
        {
            throw DomainException.NotFound(request.Name);
        }
        return Task.FromResult(new ModelVersion
        {
            Name = request.Name.Replace("latest", "1", StringComparison.Ordinal),
            ManifestSha256 = "m",
            PromptFormatSha256 = request.Name.StartsWith("models/other-format/", StringComparison.Ordinal) ? "other" : "alpaca",
        });
    }
}
