using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using InstructTune.V1;

namespace InstructTune.Client;

/// <summary>
/// One connection to an InstructTune server. The generated clients it offers send the API key, give each call a deadline,
/// repeat what is safe to repeat, and fail with <see cref="InstructTuneException"/>. Safe for use by many threads.
/// </summary>
public sealed class InstructTuneClient : IDisposable
{
    private readonly GrpcChannel _channel;

    /// <summary>Opens a connection. Nothing is sent before the first call.</summary>
    /// <param name="options">The address, the key and the time limits.</param>
    public InstructTuneClient(ClientOptions options)
    {
        Options = options;
        _channel = GrpcChannel.ForAddress(options.Address, ChannelSettings.Create());
        var invoker = _channel.Intercept(new CallDefaultsInterceptor(options)).Intercept(new ErrorDecodingInterceptor(options.Address));
        Datasets = new DatasetService.DatasetServiceClient(invoker);
        FineTunes = new FineTuneService.FineTuneServiceClient(invoker);
        Models = new ModelRegistryService.ModelRegistryServiceClient(invoker);
        Inference = new InferenceService.InferenceServiceClient(invoker);
        Evaluations = new EvaluationService.EvaluationServiceClient(invoker);
    }

    /// <summary>Opens a connection to the server found by <see cref="ServerEndpoint.Resolve"/>.</summary>
    /// <param name="server">An address, or null to look for one.</param>
    /// <param name="apiKey">A key, or null to look for one.</param>
    public static InstructTuneClient Connect(string? server = null, string? apiKey = null)
    {
        var endpoint = ServerEndpoint.Resolve(server, apiKey);
        return new InstructTuneClient(new ClientOptions { Address = endpoint.Address, ApiKey = endpoint.ApiKey });
    }

    /// <summary>What the client was made with.</summary>
    public ClientOptions Options { get; }

    /// <summary>Datasets and their versions.</summary>
    public DatasetService.DatasetServiceClient Datasets { get; }

    /// <summary>Fine-tune jobs.</summary>
    public FineTuneService.FineTuneServiceClient FineTunes { get; }

    /// <summary>Models and their versions.</summary>
    public ModelRegistryService.ModelRegistryServiceClient Models { get; }

    /// <summary>Generation and scoring.</summary>
    public InferenceService.InferenceServiceClient Inference { get; }

    /// <summary>Suites, runs and comparisons.</summary>
    public EvaluationService.EvaluationServiceClient Evaluations { get; }

    /// <summary>A handle on a fine-tune job, to watch, await, cancel and resume it.</summary>
    /// <param name="name">Format: <c>fineTuneJobs/{fine_tune_job}</c>.</param>
    public FineTuneJobHandle FineTuneJob(string name) => new(this, name);

    /// <summary>A handle on an evaluation run, to watch, await and cancel it.</summary>
    /// <param name="name">Format: <c>evaluationRuns/{evaluation_run}</c>.</param>
    public EvaluationRunHandle EvaluationRun(string name) => new(this, name);

    /// <summary>Closes the connection; calls under way are cancelled.</summary>
    public void Dispose() => _channel.Dispose();
}
