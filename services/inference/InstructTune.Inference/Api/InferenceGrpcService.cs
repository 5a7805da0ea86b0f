using Grpc.Core;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Api;

/// <summary>The RPCs: read, ask the desk, answer.</summary>
internal sealed class InferenceGrpcService(RequestDesk desk, TextDesk texts, ModelResidency residency, EngineMetrics metrics) : V1.InferenceService.InferenceServiceBase
{
    public override Task<V1.GenerateResponse> Generate(V1.GenerateRequest request, ServerCallContext context) => FaultTranslation.RunAsync(
        async () =>
        {
            var generation = await desk.GenerateAsync(GenerateReading.Read(request), context.CancellationToken);
            var tally = new UsageTally(generation);
            GenerateAnswer[] answers = [.. generation.Outputs.Select(_ => new GenerateAnswer(generation))];
            await foreach (var (candidate, update) in CandidateStream.ReadAsync(generation, context.CancellationToken))
            {
                answers[candidate].Append(update);
                tally.Set(candidate, update.Figures);
            }
            metrics.RecordText(generation.PromptTokens, tally.Total);
            return GenerateMapping.ToResponse(generation, answers, tally.ToUsage());
        });

    public override Task StreamGenerate(
        V1.GenerateRequest request, IServerStreamWriter<V1.StreamGenerateResponse> responseStream, ServerCallContext context) =>
        FaultTranslation.RunAsync(async () =>
        {
            var generation = await desk.GenerateAsync(GenerateReading.Read(request), context.CancellationToken);
            var tally = new UsageTally(generation);
            var isFirst = true;
            await foreach (var (candidate, update) in CandidateStream.ReadAsync(generation, context.CancellationToken))
            {
                tally.Set(candidate, update.Figures);
                var message = GenerateMapping.ToDelta(generation, candidate, update, tally.ToUsage());
                if (isFirst)
                {
                    (message.ModelVersion, message.Seed, isFirst) = (generation.ModelVersion, generation.Seed, false);
                }
                await responseStream.WriteAsync(message, context.CancellationToken);
            }
            metrics.RecordText(generation.PromptTokens, tally.Total);
            return true;
        });

    public override Task<V1.ScoreResponse> Score(V1.ScoreRequest request, ServerCallContext context) => FaultTranslation.RunAsync(
        async () => ScoreMapping.ToResponse(await desk.ScoreAsync(ScoreReading.Read(request), context.CancellationToken)));

    public override Task<V1.TokenizeResponse> Tokenize(V1.TokenizeRequest request, ServerCallContext context) => FaultTranslation.RunAsync(() =>
    {
        TextReading.Check(request);
        return texts.UseAsync(request.Model, model => TextAnswers.Tokenize(request, model), context.CancellationToken);
    });

    public override Task<V1.DetokenizeResponse> Detokenize(V1.DetokenizeRequest request, ServerCallContext context) => FaultTranslation.RunAsync(() =>
    {
        TextReading.Check(request);
        return texts.UseAsync(request.Model, model => TextAnswers.Detokenize(request, model), context.CancellationToken);
    });

    public override Task<V1.RenderPromptResponse> RenderPrompt(V1.RenderPromptRequest request, ServerCallContext context) => FaultTranslation.RunAsync(() =>
    {
        var input = TextReading.Read(request);
        return texts.UseAsync(request.Model, model => TextAnswers.Render(request, input, model), context.CancellationToken);
    });

    public override Task<V1.ListServedModelsResponse> ListServedModels(V1.ListServedModelsRequest request, ServerCallContext context) =>
        Task.FromResult(ServedModels.ToResponse(residency.List()));
}
