using InstructTune.Dataset.Api;
using InstructTune.Dataset.Derivation;
using InstructTune.Dataset.Import;
using InstructTune.Dataset.Reading;
using InstructTune.Dataset.Versions;
using InstructTune.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace InstructTune.Dataset;

/// <summary>Instruction data: named datasets, each a list of immutable versions.</summary>
public static class DatasetModule
{
    public static void AddDataset(this WebApplicationBuilder builder)
    {
        builder.Services.AddStorage(builder.Configuration);
        builder.Services.TryAddSingleton<VersionStore>();
        builder.Services.TryAddSingleton<ShardReader>();
        builder.Services.TryAddSingleton<SplitHandler>();
        builder.Services.TryAddSingleton<UploadHandler>();
    }

    public static void MapDataset(this WebApplication app) => app.MapGrpcService<DatasetGrpcService>();
}
