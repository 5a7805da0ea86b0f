using Grpc.Core;
using InstructTune.Inference.Requests;
using InstructTune.Inference.Serving;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Api;

/// <summary>One request to score from its arrival to its answer, with what is counted about it.</summary>
internal sealed class ScoreCalls(RequestDesk desk, CallEntrance entrance, RequestMetrics metrics, ModelTally tally, IOptions<InferenceOptions> options)
{
    public async Task<V1.ScoreResponse> AnswerAsync(V1.ScoreRequest request, ServerCallContext context)
    {
        var requestId = RequestIds.Give("", context);
        using var place = entrance.Enter(request.Tenant, request.Priority, context);
        var (model, code) = (RequestMetrics.None, StatusCode.OK);
        try
        {
            var scoring = await FaultTranslation.RunAsync(
                () => desk.ScoreAsync(ScoreReading.Read(request, options.Value.Form, context.RequestHeaders) with { RequestId = requestId }, place, context.CancellationToken));
            model = Count(scoring);
            return ScoreMapping.ToResponse(scoring, options.Value.HidesCachedTokens);
        }
        catch (Exception exception)
        {
            code = entrance.CodeOf(context, exception);
            entrance.CountIfCancelled(context, exception);
            throw;
        }
        finally
        {
            metrics.RecordEnd(model, RequestMetrics.None, code.ToString());
        }
    }

    private string Count(Scoring scoring)
    {
        var model = tally.NameOf(scoring.ModelVersion);
        var figures = tally.Of(scoring.ModelVersion);
        figures.Begin();
        figures.Add(scoring.PromptTokens, scoring.CachedTokens, outputTokens: 0);
        figures.End(failed: false);
        metrics.RecordScored(model, scoring.Urgency, scoring.PromptTokens, scoring.CachedTokens);
        return model;
    }
}
