using InstructTune.Trainer.Api;
using InstructTune.Trainer.Publishing;

namespace InstructTune.Trainer.Registry;

/// <summary>Registration of the registry; documents and artifacts come from the storage room.</summary>
internal static class ModelRegistryServices
{
    public static IServiceCollection AddModelRegistry(this IServiceCollection services)
    {
        services.AddSingleton<ModelRegistry>();
        services.AddSingleton<IModelRegistry>(provider => provider.GetRequiredService<ModelRegistry>());
        services.AddSingleton<AdapterInspector>();
        services.AddSingleton<ModelExporter>();
        services.AddSingleton<ExportIndex>();
        services.AddSingleton<ModelCards>();
        services.AddSingleton<FormatChoice>();
        services.AddSingleton<ModelUpload>();
        services.AddSingleton<ModelDownload>();
        services.AddSingleton<ModelMerger>();
        services.AddSingleton<ModelMerge>();
        return services;
    }
}
