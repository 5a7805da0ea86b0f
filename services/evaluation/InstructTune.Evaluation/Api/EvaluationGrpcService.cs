using Grpc.Core;
using InstructTune.Evaluation.Comparisons;
using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Runs;
using InstructTune.Evaluation.Suites;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.V1;

namespace InstructTune.Evaluation.Api;

/// <summary>The table of contents of the service: read the request, call, write the answer.</summary>
internal sealed class EvaluationGrpcService(
    SuiteCatalog suites,
    RunCatalog runs,
    ResultStore results,
    ScoreBoard scores,
    ComparisonService comparisons,
    [FromKeyedServices(RunCatalog.Queue)] JobEvents events,
    IHostApplicationLifetime lifetime) : EvaluationService.EvaluationServiceBase
{
    public override async Task<EvaluationSuite> CreateEvaluationSuite(CreateEvaluationSuiteRequest request, ServerCallContext context)
    {
        var suite = SuiteRequests.Read(request);
        return SuiteMapping.ToProto(await suites.CreateAsync(request.EvaluationSuiteId, suite, context.CancellationToken));
    }

    public override Task<EvaluationSuite> GetEvaluationSuite(GetEvaluationSuiteRequest request, ServerCallContext context) =>
        Task.FromResult(SuiteMapping.ToProto(suites.Get(SuiteId(request.Name, "name"))));

    public override Task<ListEvaluationSuitesResponse> ListEvaluationSuites(ListEvaluationSuitesRequest request, ServerCallContext context)
    {
        RequirePageSize(request.PageSize);
        var page = suites.List(request.PageSize, request.PageToken);
        var response = new ListEvaluationSuitesResponse { NextPageToken = page.NextPageToken };
        response.EvaluationSuites.Add(page.Items.Select(SuiteMapping.ToProto));
        return Task.FromResult(response);
    }

    public override async Task<EvaluationRun> CreateEvaluationRun(CreateEvaluationRunRequest request, ServerCallContext context)
    {
        var run = await runs.CreateAsync(RunRequests.Read(request), context.CancellationToken) ?? throw new DomainException(
            ErrorReason.RequestIdReused,
            $"request_id {request.RequestId} was used for another run: use a new one.",
            ("request_id", request.RequestId));
        return ToProto(run);
    }

    public override async Task<EvaluationRun> GetEvaluationRun(GetEvaluationRunRequest request, ServerCallContext context) =>
        ToProto(await runs.GetAsync(RunId(request.Name, "name"), context.CancellationToken));

    public override async Task<ListEvaluationRunsResponse> ListEvaluationRuns(ListEvaluationRunsRequest request, ServerCallContext context)
    {
        RequirePageSize(request.PageSize);
        var page = await runs.ListAsync(request.PageSize, request.PageToken, context.CancellationToken);
        var response = new ListEvaluationRunsResponse { NextPageToken = page.NextPageToken };
        response.EvaluationRuns.Add(page.Items.Select(ToProto));
        return response;
    }

    public override async Task<EvaluationRun> CancelEvaluationRun(CancelEvaluationRunRequest request, ServerCallContext context) =>
        ToProto(await runs.CancelAsync(RunId(request.Name, "name"), context.CancellationToken));

    public override async Task WatchEvaluationRun(
        WatchEvaluationRunRequest request, IServerStreamWriter<WatchEvaluationRunResponse> responseStream, ServerCallContext context)
    {
        var run = await runs.GetAsync(RunId(request.Name, "name"), context.CancellationToken);
        var updates = JobWatch.FollowAsync(
            events, run.Id, request.AfterSequence, point => point.Checkpoint, lifetime.ApplicationStopping, context.CancellationToken);
        await foreach (var update in updates)
        {
            await responseStream.WriteAsync(new WatchEvaluationRunResponse { Update = update }, context.CancellationToken);
        }
    }

    public override async Task<ListEvaluationResultsResponse> ListEvaluationResults(
        ListEvaluationResultsRequest request, ServerCallContext context)
    {
        RequirePageSize(request.PageSize);
        var run = await runs.GetAsync(RunId(request.Parent, "parent"), context.CancellationToken);
        var suite = suites.Get(RunSpec.Parse(run.Spec).SuiteId).Content;
        var page = ResultPage.Of(run.Id, suite, results.Read(run.Id), request.PageSize, request.PageToken);
        return RunMapping.ToProto(page);
    }

    public override async Task<CompareEvaluationRunsResponse> CompareEvaluationRuns(
        CompareEvaluationRunsRequest request, ServerCallContext context)
    {
        var (arms, margin) = ComparisonMapping.Read(request);
        try
        {
            return ComparisonMapping.ToProto(await comparisons.CompareAsync(arms, margin, context.CancellationToken));
        }
        catch (RunsNotComparableException exception)
        {
            throw ComparisonMapping.ToDomainException(exception);
        }
    }

    private EvaluationRun ToProto(JobRecord run) => RunMapping.ToProto(run, scores.Get(run.Id));

    private static string SuiteId(string name, string field) => ResourceName.Parse(Suite.NamePattern, name, field)[0];

    private static string RunId(string name, string field) => ResourceName.Parse(RunSpec.NamePattern, name, field)[0];

    private static void RequirePageSize(int pageSize) =>
        new FieldViolations().Check(pageSize >= 0, "page_size", "must not be negative").ThrowIfAny();
}
