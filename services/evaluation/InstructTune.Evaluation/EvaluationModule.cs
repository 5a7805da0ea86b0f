using InstructTune.Evaluation.Api;
using InstructTune.Evaluation.Comparisons;
using InstructTune.Evaluation.Peers;
using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Runs;
using InstructTune.Evaluation.Suites;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.V1;

namespace InstructTune.Evaluation;

/// <summary>The evaluation service: suites, runs, comparisons. It holds no model.</summary>
public static class EvaluationModule
{
    public static void AddEvaluation(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<EvaluationOptions>().BindConfiguration(EvaluationOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddStorage(builder.Configuration);
        services.AddRedis(builder.Configuration);
        services.AddJobQueue(RunCatalog.Queue, "evaluation-runs");
        services.AddJobWorker<EvaluationHandler>(RunCatalog.Queue);
        services.AddLeaseReaper(RunCatalog.Queue);
        services.AddPeer<DatasetService.DatasetServiceClient>("Dataset");
        services.AddPeer<ModelRegistryService.ModelRegistryServiceClient>("Trainer");
        services.AddPeer<InferenceService.InferenceServiceClient>("Inference");
        services.AddSingleton<PatientCalls>();
        services.AddSingleton<IDatasets, DatasetPeer>();
        services.AddSingleton<IModels, ModelRegistryPeer>();
        services.AddSingleton<IAnswerer, InferencePeer>();
        services.AddSingleton<SuiteCatalog>();
        services.AddSingleton<RunCatalog>();
        services.AddSingleton<ResultStore>();
        services.AddSingleton<ScoreBoard>();
        services.AddSingleton<TaskRunner>();
        services.AddSingleton<ComparisonService>();
    }

    public static void MapEvaluation(this WebApplication app) => app.MapGrpcService<EvaluationGrpcService>();
}
