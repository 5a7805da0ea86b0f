using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Api;

/// <summary>The RPCs: read, ask the desk, answer.</summary>
internal sealed class InferenceGrpcService(
    GenerateCalls generations,
    ScoreCalls scores,
    TextDesk texts,
    ModelDesk models,
    ModelResidency residency,
    ServingStatsMapping stats,
    ServedModels served,
    IOptions<InferenceOptions> options) : V1.InferenceService.InferenceServiceBase
{
    public override Task<V1.GenerateResponse> Generate(V1.GenerateRequest request, ServerCallContext context) => generations.AnswerAsync(request, context);

    public override Task StreamGenerate(
        V1.GenerateRequest request, IServerStreamWriter<V1.StreamGenerateResponse> responseStream, ServerCallContext context) =>
        generations.StreamAsync(request, responseStream, context);

    public override Task<V1.ScoreResponse> Score(V1.ScoreRequest request, ServerCallContext context) => scores.AnswerAsync(request, context);

    public override Task<V1.TokenizeResponse> Tokenize(V1.TokenizeRequest request, ServerCallContext context) => FaultTranslation.RunAsync(() =>
    {
        TextReading.Check(request);
        return texts.UseAsync(request.Model, StandingReading.TenantOf(context.RequestHeaders), model => TextAnswers.Tokenize(request, model), context.CancellationToken);
    });

    public override Task<V1.DetokenizeResponse> Detokenize(V1.DetokenizeRequest request, ServerCallContext context) => FaultTranslation.RunAsync(() =>
    {
        TextReading.Check(request);
        return texts.UseAsync(request.Model, StandingReading.TenantOf(context.RequestHeaders), model => TextAnswers.Detokenize(request, model), context.CancellationToken);
    });

    public override Task<V1.RenderPromptResponse> RenderPrompt(V1.RenderPromptRequest request, ServerCallContext context) => FaultTranslation.RunAsync(() =>
    {
        var input = TextReading.Read(request);
        return texts.UseAsync(request.Model, StandingReading.TenantOf(context.RequestHeaders), model => TextAnswers.Render(request, input, model), context.CancellationToken);
    });

    public override Task<V1.ServedModel> LoadModelVersion(V1.LoadModelVersionRequest request, ServerCallContext context) => FaultTranslation.RunAsync(async () =>
    {
        ModelNames.Require(request.Name, "name");
        FieldViolations violations = new();
        WeightForms.Check(request.WeightFormat, violations);
        violations.ThrowIfAny();
        var form = WeightForms.Read(request.WeightFormat, options.Value.Form);
        return served.ToServed(await models.LoadAsync(request.Name, request.Pinned, form, context.CancellationToken));
    });

    public override Task<Empty> UnloadModelVersion(V1.UnloadModelVersionRequest request, ServerCallContext context) => FaultTranslation.RunAsync(async () =>
    {
        ModelNames.Require(request.Name, "name");
        await models.ReleaseAsync(request.Name, context.CancellationToken);
        return new Empty();
    });

    public override Task<V1.ServingStats> GetServingStats(V1.GetServingStatsRequest request, ServerCallContext context) => Task.FromResult(stats.Read());

    public override Task<V1.ListServedModelsResponse> ListServedModels(V1.ListServedModelsRequest request, ServerCallContext context) =>
        Task.FromResult(served.ToResponse(residency.List()));
}
