using System.Security.Cryptography;
using InstructTune.Hosting;
using InstructTune.Inference.Admission;
using InstructTune.Inference.Api;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
using InstructTune.Inference.Peers;
using InstructTune.Inference.Requests;
using InstructTune.Inference.Serving;
using InstructTune.Kernels;
using InstructTune.Modeling.Numerics;
using InstructTune.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference;

/// <summary>Runs models: many adapters and several bases behind one engine thread.</summary>
public static class InferenceModule
{
    public static void AddInference(this WebApplicationBuilder builder)
    {
        Platform.Require();
        var services = builder.Services;
        services.AddOptions<InferenceOptions>().BindConfiguration(InferenceOptions.Section).ValidateOnStart();
        services.AddOptions<TorchOptions>().BindConfiguration(TorchOptions.Section)
            .Validate(options => options.Threads >= 0, "Torch:Threads must not be negative; 0 means one per core.").ValidateOnStart();
        services.AddSingleton<IValidateOptions<InferenceOptions>, InferenceOptionsValidator>();
        services.AddStorage(builder.Configuration);
        services.AddPeer<V1.ModelRegistryService.ModelRegistryServiceClient>("Trainer");
        // Shared with the trainer when both are in one process: they take turns on the device.
        services.TryAddSingleton<DeviceTurns>();
        AddEngine(services);
        services.AddSingleton(provider => new ModelResidency(OptionsOf(provider).ModelBytes, OptionsOf(provider).Form, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IModelLoader, ModelLoader>();
        services.AddSingleton<LoadFailures>();
        services.AddSingleton<ModelStore>();
        services.AddHostedService<IdleModels>();
        services.AddSingleton<IModelRegistry, ModelRegistry>();
        services.AddSingleton<ModelMetrics>();
        services.AddSingleton(provider => new AdmissionGate(OptionsOf(provider).Admission, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ParityMeter>();
        services.AddSingleton<ParityLedger>();
        services.AddSingleton<QuantizedWeights>();
        services.AddSingleton<KernelLoad>();
        services.AddSingleton<ServingNumerics>();
        services.AddSingleton<ServedModels>();
        AddRequests(services);
        services.AddHealthChecks().AddCheck<EngineHealth>("inference engine").AddCheck<EngineLife>("inference engine lives", tags: [ServiceDefaults.LiveTag]);
        // It has a line for every call that is refused; see RefusalLog.
        builder.Logging.AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.Warning);
    }

    public static void MapInference(this WebApplication app) => app.MapGrpcService<InferenceGrpcService>();

    private static void AddRequests(IServiceCollection services)
    {
        services.TryAddSingleton(new PrefixKeys(RandomNumberGenerator.GetBytes(PrefixKey.SizeBytes)));
        services.AddSingleton<LiveRequests>();
        services.AddSingleton<StallWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<StallWatch>());
        services.AddHostedService<WaitingDrain>();
        services.AddSingleton<ModelTally>();
        services.AddSingleton<RequestMetrics>();
        services.AddSingleton<ProcessMetrics>();
        services.AddHostedService(provider => provider.GetRequiredService<ProcessMetrics>());
        services.AddSingleton<RefusalLog>();
        services.AddSingleton<RequestDesk>();
        services.AddSingleton<CallEntrance>();
        services.AddSingleton<GenerateCalls>();
        services.AddSingleton<ScoreCalls>();
        services.AddHostedService<RefusalWarmUp>();
        services.AddSingleton<TextDesk>();
        services.AddSingleton<ModelDesk>();
        services.AddSingleton<ServingStatsMapping>();
    }

    private static void AddEngine(IServiceCollection services)
    {
        services.AddSingleton(provider => new Team(MembersOf(provider), OptionsOf(provider).PinThreads));
        services.AddSingleton<LlamaRunner>();
        services.AddSingleton<IModelRunner>(provider => provider.GetRequiredService<LlamaRunner>());
        services.AddSingleton(provider => new Scheduler(OptionsOf(provider).Limits with
        {
            AgingTicks = (long)(OptionsOf(provider).AgingTime.TotalSeconds * provider.GetRequiredService<TimeProvider>().TimestampFrequency),
        }));
        services.AddMetrics();
        services.AddSingleton<EngineMetrics>();
        services.AddSingleton<EngineLoop>();
        services.AddSingleton<StepAge>();
        services.AddHostedService(provider => provider.GetRequiredService<EngineLoop>());
    }

    /// <summary>Also where libtorch computes: a version may be loaded for our kernels. Who has nothing to do sleeps.</summary>
    private static int MembersOf(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<TorchOptions>>().Value.Threads is > 0 and var threads ? threads : Environment.ProcessorCount;

    private static InferenceOptions OptionsOf(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<InferenceOptions>>().Value;
}
