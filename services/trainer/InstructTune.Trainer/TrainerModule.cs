using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Modeling.Numerics;
using InstructTune.Storage;
using InstructTune.Trainer.Api;
using InstructTune.Trainer.Checkpoints;
using InstructTune.Trainer.Data;
using InstructTune.Trainer.Estimation;
using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Peers;
using InstructTune.Trainer.Publishing;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace InstructTune.Trainer;

/// <summary>Trains models in stages and names the results. One image, one setting: the API, a worker, or both.</summary>
public static class TrainerModule
{
    internal const string Queue = "fine-tune";

    public static void AddTrainer(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<TrainerOptions>().BindConfiguration(TrainerOptions.Section).ValidateOnStart();
        services.AddStorage(builder.Configuration);
        services.AddRedis(builder.Configuration);
        services.AddJobQueue(Queue);
        services.AddPeer<DatasetService.DatasetServiceClient>("Dataset");
        AddShared(services);
        var role = RoleOf(builder.Configuration);
        if (role != TrainerRole.Worker)
        {
            AddApi(services);
        }

        if (role != TrainerRole.Api)
        {
            AddWorker(services, endsWhenHung: role == TrainerRole.Worker);
        }
    }

    public static void MapTrainer(this WebApplication app)
    {
        if (RoleOf(app.Configuration) != TrainerRole.Worker)
        {
            app.MapGrpcService<FineTuneGrpcService>();
            app.MapGrpcService<ModelRegistryGrpcService>();
        }
    }

    private static TrainerRole RoleOf(IConfiguration configuration) =>
        (configuration.GetSection(TrainerOptions.Section).Get<TrainerOptions>() ?? new TrainerOptions()).Role;

    private static void AddShared(IServiceCollection services)
    {
        services.AddSingleton(provider => new CheckpointStore(
            provider.GetRequiredService<IOptions<StorageOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.AddKeyedSingleton<IJobCheckpoints>(Queue, (provider, _) => new NewestCheckpoint(provider.GetRequiredService<CheckpointStore>()));
        services.AddModelRegistry();
        services.AddOptions<TorchOptions>().BindConfiguration(TorchOptions.Section).ValidateOnStart();
        services.AddSingleton<MeasuredSpeeds>();
        services.AddSingleton<ExampleSource>();
        services.AddSingleton<StageLoader>();
        services.AddSingleton<StageReader>();
        services.AddSingleton<AttemptFolder>();
        services.AddSingleton<ResultRegistrar>();
    }

    private static void AddApi(IServiceCollection services)
    {
        services.AddLeaseReaper(Queue);
        services.AddSingleton<DatasetCatalog>();
        services.AddSingleton<StartingPoint>();
        services.AddSingleton<FineTuneCreation>();
        services.AddSingleton<FineTuneJobs>();
        services.AddSingleton<JobEstimator>();
        services.AddSingleton<FineTuneView>();
        services.AddSingleton<TrainingLogs>();
        services.AddSingleton<ProgressReader>();
    }

    private static void AddWorker(IServiceCollection services, bool endsWhenHung)
    {
        services.TryAddSingleton<DeviceTurns>();
        services.AddSingleton<TrainingThread>();
        services.AddSingleton<CheckpointRestorer>();
        services.AddSingleton<StageIndex>();
        services.AddSingleton<StageReuse>();
        services.AddSingleton<ModelOpener>();
        services.AddSingleton<StageHandover>();
        services.AddSingleton<StageSequence>();
        services.AddSingleton<ModelTraining>();
        services.AddSingleton<JobExports>();
        services.AddJobWorker<FineTuneHandler>(Queue, endsWhenHung);
    }
}
