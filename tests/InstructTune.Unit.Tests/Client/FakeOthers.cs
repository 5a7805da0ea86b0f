using Google.Protobuf;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Client;

internal sealed class FakeModels : ModelRegistryService.ModelRegistryServiceBase
{
    public List<string> Files { get; } = [];

    public UploadModelVersionRequest.Types.Header? Header { get; private set; }

    public MergeModelVersionsRequest? Merge { get; private set; }

    public override Task<ModelVersion> MergeModelVersions(MergeModelVersionsRequest request, ServerCallContext context)
    {
        Merge = request;
        return Task.FromResult(new ModelVersion { Name = request.Parent + "/versions/1" });
    }

    public override Task<ModelVersion> GetModelVersion(GetModelVersionRequest request, ServerCallContext context) =>
        request.Name.StartsWith("models/tiny/", StringComparison.Ordinal)
            ? Task.FromResult(new ModelVersion { Name = "models/tiny/versions/1", PromptFormat = "alpaca" })
            : throw new DomainException(ErrorReason.ResourceNotFound, $"There is no {request.Name}.", ("resource", request.Name));

    public override async Task<ModelVersion> UploadModelVersion(
        IAsyncStreamReader<UploadModelVersionRequest> requestStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            Header = requestStream.Current.Header ?? Header;
            if (requestStream.Current.Chunk is { } chunk && !Files.Contains(chunk.FileName))
            {
                Files.Add(chunk.FileName);
            }
        }

        return new ModelVersion { Name = Header!.Parent + "/versions/1" };
    }
}

/// <summary>Answers with what it was asked, in two pieces.</summary>
internal sealed class FakeInference : InferenceService.InferenceServiceBase
{
    public List<GenerateRequest> Requests { get; } = [];

    /// <summary>What the prompt, of 200 tokens, leaves of the context.</summary>
    public int RoomTokens { get; set; } = 1000;

    public override async Task StreamGenerate(
        GenerateRequest request, IServerStreamWriter<StreamGenerateResponse> responseStream, ServerCallContext context)
    {
        Admit(request);
        var asked = request.InputCase == GenerateRequest.InputOneofCase.Conversation
            ? request.Conversation.Turns[^1].Text
            : request.Instruction.Instruction_;
        await responseStream.WriteAsync(new() { TextDelta = "you said: " });
        await responseStream.WriteAsync(new() { TextDelta = asked, FinishReason = FinishReason.EndOfText });
    }

    public List<RenderPromptRequest> Renderings { get; } = [];

    public ListServedModelsResponse Served { get; } = new();

    /// <summary>Where the key is no administrator's.</summary>
    public DomainException? ServedRefusal { get; set; }

    public List<LoadModelVersionRequest> Loads { get; } = [];

    public List<string> Unloads { get; } = [];

    public override Task<ServedModel> LoadModelVersion(LoadModelVersionRequest request, ServerCallContext context)
    {
        Loads.Add(request);
        return Task.FromResult(Served.ServedModels[0]);
    }

    public override Task<Google.Protobuf.WellKnownTypes.Empty> UnloadModelVersion(UnloadModelVersionRequest request, ServerCallContext context)
    {
        Unloads.Add(request.Name);
        return Task.FromResult(new Google.Protobuf.WellKnownTypes.Empty());
    }

    public override Task<ListServedModelsResponse> ListServedModels(ListServedModelsRequest request, ServerCallContext context) =>
        ServedRefusal is { } refusal ? throw refusal : Task.FromResult(Served);

    /// <summary>Two tokens, the second of which is trained and no whole character.</summary>
    public override Task<RenderPromptResponse> RenderPrompt(RenderPromptRequest request, ServerCallContext context)
    {
        Renderings.Add(request);
        return Task.FromResult(new RenderPromptResponse
        {
            Text = "a\n?", TokenIds = { 7, 8 }, Trained = { false, true }, ModelVersion = "models/tiny/versions/1", PromptFormat = "alpaca",
            PromptFormatSha256 = "0123456789abcdef", TokenBytes = { Google.Protobuf.ByteString.CopyFromUtf8("a\n"), Google.Protobuf.ByteString.CopyFrom(0xe2, 0x82) },
        });
    }

    private void Admit(GenerateRequest request)
    {
        Requests.Add(request.Clone());
        if (RoomTokens < Math.Max(1, request.MaxOutputTokens))
        {
            throw new DomainException(
                ErrorReason.PromptTooLong, "Too long.", ("prompt_tokens", "200"), ("context_tokens", $"{200 + RoomTokens}"), ("max_output_tokens", $"{request.MaxOutputTokens}"));
        }
    }

    public override Task<GenerateResponse> Generate(GenerateRequest request, ServerCallContext context)
    {
        Admit(request);
        var candidate = new GenerateResponse.Types.Candidate { Text = "whole", FinishReason = FinishReason.EndOfText };
        var response = new GenerateResponse { Candidates = { candidate } };
        if (request.HasTopLogprobs)
        {
            response.PromptTokens.Add(new TokenLogprob { TokenId = 5, Bytes = ByteString.CopyFromUtf8("x") });
            candidate.Tokens.Add(new TokenLogprob { TokenId = 7, Bytes = ByteString.CopyFromUtf8(" whole"), Logprob = -0.5 });
            candidate.Tokens[0].Alternatives.Add(new TokenLogprob.Types.Alternative { TokenId = 8, Bytes = ByteString.CopyFromUtf8("half"), Logprob = -0.25 });
            candidate.Tokens[0].Alternatives.Add(new TokenLogprob.Types.Alternative { TokenId = 9, Bytes = ByteString.CopyFrom(0xC3), Logprob = -1 });
        }
        return Task.FromResult(response);
    }
}

/// <summary>Scores every model by the length of its name, so that models differ.</summary>
internal sealed class FakeEvaluations : EvaluationService.EvaluationServiceBase
{
    public List<CreateEvaluationSuiteRequest> Suites { get; } = [];

    public List<EvaluationRun> Runs { get; } = [];

    public CompareEvaluationRunsRequest? Compared { get; private set; }

    public override Task<ListEvaluationRunsResponse> ListEvaluationRuns(ListEvaluationRunsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListEvaluationRunsResponse());

    public override Task<EvaluationSuite> CreateEvaluationSuite(CreateEvaluationSuiteRequest request, ServerCallContext context)
    {
        Suites.Add(request);
        return Task.FromResult(new EvaluationSuite { Name = "evaluationSuites/" + request.EvaluationSuiteId });
    }

    public override Task<EvaluationRun> CreateEvaluationRun(CreateEvaluationRunRequest request, ServerCallContext context)
    {
        var run = request.EvaluationRun.Clone();
        run.Name = $"evaluationRuns/run-{Runs.Count + 1}";
        run.Job = new JobStatus { State = JobState.Succeeded };
        run.Scores.Add(new EvaluationRun.Types.TaskScore
        {
            TaskId = "t", Metric = "rougeL/google+nltk-porter", Value = run.ModelVersion.Length / 100.0, Lower = 0.1, Upper = 0.9, ExampleCount = 3,
        });
        Runs.Add(run);
        return Task.FromResult(run);
    }

    public override Task<EvaluationRun> GetEvaluationRun(GetEvaluationRunRequest request, ServerCallContext context) =>
        Task.FromResult(Runs.Single(run => run.Name == request.Name));

    public override Task WatchEvaluationRun(
        WatchEvaluationRunRequest request, IServerStreamWriter<WatchEvaluationRunResponse> responseStream, ServerCallContext context) =>
        Task.CompletedTask;

    public override Task<CompareEvaluationRunsResponse> CompareEvaluationRuns(CompareEvaluationRunsRequest request, ServerCallContext context)
    {
        Compared = request;
        var response = new CompareEvaluationRunsResponse();
        response.Comparisons.Add(new CompareEvaluationRunsResponse.Types.Comparison
        {
            ArmIndex = 1, TaskId = "t", Metric = "rougeL/google+nltk-porter", Difference = 0.05, Lower = 0.02, Upper = 0.08,
            AdjustedPValue = 0.0004, Wins = 7, Losses = 2, Ties = 1, Verdict = CompareEvaluationRunsResponse.Types.Verdict.Better,
            Flags = { "SEED_VARIANCE_NOT_MEASURED" },
        });
        return Task.FromResult(response);
    }
}
