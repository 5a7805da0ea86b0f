using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using InstructTune.Faults.Tests.Trainer;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Services;

/// <summary>Every service is asked to end in the middle of a call, once and twice.</summary>
[Collection(TrainerCollection.Name)]
public sealed class SignalStormTests(TrainerScene scene, ITestOutputHelper output)
{
    private const int ExitCodeOfTerminated = 143;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestAbort = TimeSpan.FromSeconds(5);
    private static readonly Metadata Key = new() { { "authorization", "Bearer " + ServiceProcesses.ApiKey } };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Services => new(ServiceProcesses.All);

    [Theory]
    [MemberData(nameof(Services))]
    [Trait(FaultSettings.Trait, "34")]
    public async Task A_service_asked_to_end_is_unready_at_once_refuses_new_calls_by_name_and_finishes_those_it_has(string service)
    {
        FaultSettings.Begin(output, "34");
        await using var services = await StartAsync(service);
        for (var round = 0; round < FaultSettings.Count(1, 10); round++)
        {
            var process = await ReplaceAsync(services, service);
            using var channel = GrpcChannel.ForAddress(services.AddressOf(service));
            var call = await BeginAsync(service, services, scene.Root, channel);
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, await HealthAsync(channel));
            process.Signal("TERM");
            await Eventually.HoldsAsync(async () => await HealthAsync(channel) == HealthCheckResponse.Types.ServingStatus.NotServing, "it says that it is not ready", Longest);
            Assert.False(process.HasExited);
            var refused = await Assert.ThrowsAsync<RpcException>(() => NewCallAsync(service, channel));
            Assert.Equal((StatusCode.Unavailable, ErrorReason.Draining), (refused.StatusCode, ErrorStatus.FromPeer(refused)?.Reason));
            await call();
            Assert.Equal(0, await process.ExitAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Services))]
    [Trait(FaultSettings.Trait, "34")]
    public async Task A_second_signal_ends_a_service_at_once(string service)
    {
        await using var services = await StartAsync(service);
        services.Settings["Drain:Limit"] = "00:01:00";
        for (var round = 0; round < FaultSettings.Count(1, 10); round++)
        {
            var process = await ReplaceAsync(services, service);
            using var channel = GrpcChannel.ForAddress(services.AddressOf(service));
            await BeginAsync(service, services, scene.Root, channel);
            process.Signal("TERM");
            await Eventually.HoldsAsync(async () => await HealthAsync(channel) == HealthCheckResponse.Types.ServingStatus.NotServing, "it says that it is not ready", Longest);
            var second = TimeProvider.System.GetTimestamp();
            process.Signal("TERM");
            var code = await process.ExitAsync();
            Assert.True(TimeProvider.System.GetElapsedTime(second) < LongestAbort, $"{TimeProvider.System.GetElapsedTime(second)}");
            Assert.Equal(ExitCodeOfTerminated, code);
        }
    }

    private async Task<ServiceProcesses> StartAsync(string service)
    {
        var services = new ServiceProcesses(scene);
        services.Settings["Drain:Limit"] = "00:00:30";
        foreach (var needed in ServiceProcesses.All.TakeWhile(other => other != service).Where(other => IsNeeded(other, service)).Append(service))
        {
            await services.StartAsync(needed);
        }

        return services;
    }

    private static bool IsNeeded(string peer, string service) => (peer, service) is ("Trainer", "Inference") or ("Dataset", "Gateway") or ("Dataset", "Evaluation");

    // The first round's process is the one that was started.
    private static async Task<WorkerProcess> ReplaceAsync(ServiceProcesses services, string service)
    {
        if (services[service].HasExited)
        {
            (await services.StartAsync(service))!.Dispose();
        }

        return services[service];
    }

    // Begins a call that goes on until it is told to end; what is returned ends it and checks that it was answered in full.
    private static async Task<Func<Task>> BeginAsync(string service, ServiceProcesses services, string root, GrpcChannel channel)
    {
        switch (service)
        {
            case "Trainer":
                return await BeginModelUploadAsync(root, channel);
            case "Inference":
                return await BeginGenerationAsync(channel);
            case "Evaluation":
                return await BeginSuiteAsync(services, channel);
            default:
                return await BeginDataUploadAsync(root, channel);
        }
    }

    private static string[] Staged(string root) =>
        Directory.Exists(Path.Combine(root, "staging")) ? Directory.GetDirectories(Path.Combine(root, "staging")) : [];

    private static async Task<Func<Task>> BeginDataUploadAsync(string root, GrpcChannel channel)
    {
        // A dataset of its own: what other jobs train on stays as it is.
        var client = new DatasetService.DatasetServiceClient(channel);
        var dataset = await client.CreateDatasetAsync(new CreateDatasetRequest { DatasetId = $"storm-{Guid.NewGuid():N}" }, Key, cancellationToken: Token);
        var before = Staged(root);
        var upload = client.UploadDataset(Key, cancellationToken: Token);
        await upload.RequestStream.WriteAsync(new UploadDatasetRequest { Header = new UploadDatasetRequest.Types.Header { Parent = dataset.Name } });
        await Eventually.HoldsAsync(() => Staged(root).Except(before).Any(), "the server takes the upload", Longest);
        return async () =>
        {
            await upload.RequestStream.WriteAsync(new UploadDatasetRequest
            {
                Chunk = new UploadDatasetRequest.Types.Chunk { FileName = "rows.jsonl", Data = ByteString.CopyFromUtf8("""{"instruction": "a", "input": "", "output": "b"}""") },
            });
            await upload.RequestStream.CompleteAsync();
            Assert.Equal(1, (await upload).ExampleCount);
            upload.Dispose();
        };
    }

    // It lasts because the dataset service does not answer.
    private static async Task<Func<Task>> BeginSuiteAsync(ServiceProcesses services, GrpcChannel channel)
    {
        services.PortOf("Dataset").Reset();
        await Eventually.HoldsAsync(() => services.PortOf("Dataset").ConnectionCount == 0, "no connection to the dataset service is left", Longest);
        services.PortOf("Dataset").Fault = Fault.HalfOpen;
        var suite = new EvaluationSuite { Tasks = { new EvaluationSuite.Types.Task { TaskId = "t", DatasetVersion = "datasets/rows/versions/latest", Metrics = { "rougeL" } } } };
        var call = new EvaluationService.EvaluationServiceClient(channel).CreateEvaluationSuiteAsync(
            new CreateEvaluationSuiteRequest { EvaluationSuiteId = $"s-{Guid.NewGuid():N}", EvaluationSuite = suite }, cancellationToken: Token);
        await Eventually.HoldsAsync(
            () => call.ResponseAsync.IsCompleted || services.PortOf("Dataset").ConnectionCount > 0, "the call asks the dataset service", Longest);
        Assert.False(call.ResponseAsync.IsCompleted, call.ResponseAsync.Exception?.ToString());
        return async () =>
        {
            services.PortOf("Dataset").Fault = Fault.None;
            Assert.Single((await call).Tasks);
            call.Dispose();
        };
    }

    private static async Task<Func<Task>> BeginModelUploadAsync(string root, GrpcChannel channel)
    {
        var before = Staged(root);
        var upload = new ModelRegistryService.ModelRegistryServiceClient(channel).UploadModelVersion(cancellationToken: Token);
        await upload.RequestStream.WriteAsync(new UploadModelVersionRequest { Header = new UploadModelVersionRequest.Types.Header { Parent = "models/uploaded" } });
        await Eventually.HoldsAsync(() => Staged(root).Except(before).Any(), "the server takes the upload", Longest);
        return async () =>
        {
            // Read to its end and judged by what it holds, which is too little.
            await upload.RequestStream.WriteAsync(new UploadModelVersionRequest
            {
                Chunk = new UploadModelVersionRequest.Types.Chunk { FileName = "config.json", Data = ByteString.CopyFromUtf8("{}") },
            });
            await upload.RequestStream.CompleteAsync();
            var answer = await Assert.ThrowsAsync<RpcException>(async () => await upload);
            Assert.Equal(ErrorReason.ModelFilesInvalid, ErrorStatus.FromPeer(answer)?.Reason);
            upload.Dispose();
        };
    }

    private static async Task<Func<Task>> BeginGenerationAsync(GrpcChannel channel)
    {
        var request = new GenerateRequest
        {
            Model = "models/tiny/versions/1", RawPrompt = "once", Sampling = new SamplingParameters { Temperature = 1, Seed = 5, MinTokens = 400 },
        };
        var stream = new InferenceService.InferenceServiceClient(channel).StreamGenerate(request, cancellationToken: Token);
        Assert.True(await stream.ResponseStream.MoveNext(Token));
        return async () =>
        {
            var last = stream.ResponseStream.Current;
            while (await stream.ResponseStream.MoveNext(Token))
            {
                last = stream.ResponseStream.Current;
            }

            Assert.Equal(FinishReason.Length, last.FinishReason);
            stream.Dispose();
        };
    }

    private static async Task NewCallAsync(string service, GrpcChannel channel)
    {
        switch (service)
        {
            case "Trainer":
                await new ModelRegistryService.ModelRegistryServiceClient(channel).ListModelsAsync(new ListModelsRequest(), cancellationToken: Token);
                break;
            case "Inference":
                await new InferenceService.InferenceServiceClient(channel).ListServedModelsAsync(new ListServedModelsRequest(), cancellationToken: Token);
                break;
            case "Evaluation":
                await new EvaluationService.EvaluationServiceClient(channel).ListEvaluationSuitesAsync(new ListEvaluationSuitesRequest(), cancellationToken: Token);
                break;
            default:
                await new DatasetService.DatasetServiceClient(channel).ListDatasetsAsync(new ListDatasetsRequest(), Key, cancellationToken: Token);
                break;
        }
    }

    private static async Task<HealthCheckResponse.Types.ServingStatus> HealthAsync(GrpcChannel channel) =>
        (await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest(), cancellationToken: Token)).Status;
}
