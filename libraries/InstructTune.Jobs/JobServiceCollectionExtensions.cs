using InstructTune.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace InstructTune.Jobs;

public static class JobServiceCollectionExtensions
{
    /// <summary>Exit code of a process whose work hung: "internal software error" of sysexits.h.</summary>
    public const int HungExitCode = 70;

    /// <summary>
    /// Adds a queue's <see cref="JobStore"/> and <see cref="JobEvents"/>, keyed by its name. Needs AddRedis and AddStorage. The jobs'
    /// archive lies in <paramref name="folder"/> below <c>Storage:Root</c>; an <see cref="IJobCheckpoints"/> keyed by the queue
    /// finds what jobs go on from when the store was lost.
    /// </summary>
    public static IServiceCollection AddJobQueue(this IServiceCollection services, string queue, string folder = "jobs")
    {
        services.AddOptions<LeaseOptions>().BindConfiguration(LeaseOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LeaseOptions>, LeaseOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddKeyedSingleton(queue, (provider, _) => new JobStore(provider.GetRequiredService<RedisConnection>(), queue, Options(provider))
        {
            Archive = provider.GetRequiredKeyedService<JobArchive>(queue),
        });
        services.TryAddKeyedSingleton(queue, (provider, _) => new JobArchive(
            Path.Combine(provider.GetRequiredService<IOptions<StorageOptions>>().Value.Root, folder),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetKeyedService<IJobCheckpoints>(queue)));
        services.TryAddKeyedSingleton(queue, (provider, _) => new JobSignals(
            provider.GetRequiredKeyedService<JobStore>(queue), provider.GetRequiredService<TimeProvider>()));
        services.TryAddKeyedSingleton(queue, (provider, _) => new JobEvents(
            provider.GetRequiredKeyedService<JobStore>(queue),
            provider.GetRequiredKeyedService<JobSignals>(queue),
            Options(provider),
            provider.GetRequiredService<TimeProvider>()));
        return services;
    }

    /// <summary>Adds a worker that takes this queue's jobs, one at a time. Call again for more at once.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="queue">The queue's name.</param>
    /// <param name="endsWhenHung">
    /// Whether the process ends, with exit code <see cref="HungExitCode"/>, when a job's work hangs for good, so that it is started anew; otherwise
    /// the worker is lost and everything else of the process goes on.
    /// </param>
    public static IServiceCollection AddJobWorker<THandler>(this IServiceCollection services, string queue, bool endsWhenHung = false)
        where THandler : class, IJobHandler
    {
        services.AddJobQueue(queue);
        services.TryAddSingleton<THandler>();
        return services.AddSingleton<IHostedService>(provider => new JobWorker(
            provider.GetRequiredKeyedService<JobStore>(queue),
            provider.GetRequiredKeyedService<JobSignals>(queue),
            provider.GetRequiredService<THandler>(),
            Options(provider),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<JobWorker>>())
        {
            ProcessEnding = provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping,
            EndProcess = endsWhenHung ? () => EndProcess(provider.GetRequiredService<IHostApplicationLifetime>()) : null,
        });
    }

    /// <summary>Adds the reaper of this queue; every process that serves the queue's API runs one.</summary>
    public static IServiceCollection AddLeaseReaper(this IServiceCollection services, string queue)
    {
        services.AddJobQueue(queue);
        return services.AddSingleton<IHostedService>(provider => new LeaseReaper(
            provider.GetRequiredKeyedService<JobStore>(queue),
            Options(provider),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<LeaseReaper>>())
        {
            Archiver = new JobArchiver(
                provider.GetRequiredKeyedService<JobStore>(queue),
                provider.GetRequiredKeyedService<JobArchive>(queue),
                provider.GetRequiredService<ILogger<LeaseReaper>>()),
        });
    }

    private static void EndProcess(IHostApplicationLifetime lifetime)
    {
        Environment.ExitCode = HungExitCode;
        lifetime.StopApplication();
    }

    private static LeaseOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<LeaseOptions>>().Value;
}
