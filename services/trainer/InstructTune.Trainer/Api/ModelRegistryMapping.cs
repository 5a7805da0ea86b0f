using Google.Protobuf.WellKnownTypes;
using InstructTune.Trainer.Registry;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>Records of the registry as messages.</summary>
internal static class ModelRegistryMapping
{
    public static Model ToProto(ModelRecord model) => new()
    {
        Name = $"models/{model.Model}",
        CreateTime = Timestamp.FromDateTimeOffset(model.CreateTime),
        LatestVersion = model.LatestVersion == 0 ? "" : $"models/{model.Model}/versions/{model.LatestVersion}",
    };

    public static ModelVersion ToProto(ModelVersionRecord version)
    {
        var message = new ModelVersion
        {
            Name = version.Name,
            Kind = version.Kind == ModelKind.LoraAdapter ? ModelVersion.Types.Kind.LoraAdapter : ModelVersion.Types.Kind.FullWeights,
            BaseModelVersion = version.BaseModelVersion,
            FineTuneJob = version.FineTuneJob,
            ManifestSha256 = version.ManifestSha256,
            ParameterCount = version.ParameterCount,
            ContextTokens = version.ContextTokens,
            PromptFormat = version.PromptFormat,
            PromptFormatSha256 = version.PromptFormatSha256,
            CreateTime = Timestamp.FromDateTimeOffset(version.CreateTime),
            Architecture = version.Architecture,
            SizeBytes = version.SizeBytes,
            Adapter = version.Adapter is { } adapter ? ToProto(adapter) : null,
        };
        message.Lineage.Add(version.Lineage.ToDictionary());
        return message;
    }

    private static ModelVersion.Types.Adapter ToProto(AdapterFacts adapter)
    {
        var message = new ModelVersion.Types.Adapter { Rank = adapter.Rank, Alpha = adapter.Alpha, RankStabilized = adapter.RankStabilized };
        message.TargetModules.Add(adapter.TargetModules);
        return message;
    }
}
