using Grpc.Core;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Api;

/// <summary>The RPCs: read, ask the desk, answer.</summary>
internal sealed class InferenceGrpcService(RequestDesk desk, ModelResidency residency, EngineMetrics metrics) : V1.InferenceService.InferenceServiceBase
{
    public override Task<V1.GenerateResponse> Generate(V1.GenerateRequest request, ServerCallContext context) => FaultTranslation.RunAsync(
        async () =>
        {
            var generation = await desk.GenerateAsync(GenerateReading.Read(request), context.CancellationToken);
            var answer = new GenerateAnswer(generation);
            do
            {
                answer.Append(await generation.Output.TakeAsync(context.CancellationToken));
            }
            while (!answer.IsComplete);
            metrics.RecordText(generation.PromptTokens, answer.Figures);
            return answer.ToResponse();
        });

    public override Task StreamGenerate(
        V1.GenerateRequest request, IServerStreamWriter<V1.StreamGenerateResponse> responseStream, ServerCallContext context) =>
        FaultTranslation.RunAsync(async () =>
        {
            var generation = await desk.GenerateAsync(GenerateReading.Read(request), context.CancellationToken);
            for (var isFirst = true; ; isFirst = false)
            {
                var update = await generation.Output.TakeAsync(context.CancellationToken);
                await responseStream.WriteAsync(GenerateMapping.ToDelta(generation, update, isFirst), context.CancellationToken);
                if (update.End is not null)
                {
                    metrics.RecordText(generation.PromptTokens, update.Figures);
                    return true;
                }
            }
        });

    public override Task<V1.ScoreResponse> Score(V1.ScoreRequest request, ServerCallContext context) => FaultTranslation.RunAsync(
        async () => ScoreMapping.ToResponse(await desk.ScoreAsync(ScoreReading.Read(request), context.CancellationToken)));

    public override Task<V1.ListServedModelsResponse> ListServedModels(V1.ListServedModelsRequest request, ServerCallContext context) =>
        Task.FromResult(ServedModels.ToResponse(residency.List()));
}
