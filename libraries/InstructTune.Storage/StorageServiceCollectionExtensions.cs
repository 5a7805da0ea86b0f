using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace InstructTune.Storage;

public static class StorageServiceCollectionExtensions
{
    /// <summary>Adds artifacts and documents below <c>Storage:Root</c>.</summary>
    public static IServiceCollection AddStorage(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<StorageOptions>()
            .Bind(configuration.GetSection(StorageOptions.Section))
            .Validate(options => options.Root.Length > 0, "Storage:Root is empty: name the folder that keeps artifacts and documents.")
            .ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new DiskArtifactStore(provider.GetRequiredService<IOptions<StorageOptions>>().Value));
        services.TryAddSingleton<IArtifactStore>(provider => provider.GetRequiredService<DiskArtifactStore>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<Microsoft.Extensions.Hosting.IHostedService, StagingSweep>());
        services.TryAddSingleton<IDocumentStore>(provider => new DocumentStore(
            provider.GetRequiredService<IOptions<StorageOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        return services;
    }

    /// <summary>Adds the connection to <c>Redis:Configuration</c>. It is opened at first use.</summary>
    public static IServiceCollection AddRedis(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<RedisOptions>()
            .Bind(configuration.GetSection(RedisOptions.Section))
            .Validate(options => options.Configuration.Length > 0, "Redis:Configuration is empty: name the server, such as 127.0.0.1:6379.")
            .ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new RedisConnection(
            provider.GetRequiredService<IOptions<RedisOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<StoreSelfCheck>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<Microsoft.Extensions.Hosting.IHostedService, StartCheck>());
        return services;
    }
}
