using Grpc.Core;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Api;

/// <summary>One request to score from its arrival to its answer.</summary>
internal sealed class ScoreCalls(RequestDesk desk, CallEntrance entrance)
{
    public async Task<V1.ScoreResponse> AnswerAsync(V1.ScoreRequest request, ServerCallContext context)
    {
        var requestId = RequestIds.Give("", context);
        using var place = entrance.Enter(request.Tenant, context);
        try
        {
            return await FaultTranslation.RunAsync(async () => ScoreMapping.ToResponse(
                await desk.ScoreAsync(ScoreReading.Read(request, context.RequestHeaders) with { RequestId = requestId }, place, context.CancellationToken)));
        }
        catch (Exception exception)
        {
            entrance.CountIfCancelled(context, exception);
            throw;
        }
    }
}
