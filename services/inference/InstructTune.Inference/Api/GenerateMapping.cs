using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Api;

/// <summary>What was generated, as messages.</summary>
internal static class GenerateMapping
{
    public static V1.StreamGenerateResponse ToDelta(Generation generation, int candidate, GenerationUpdate update, V1.Usage usage)
    {
        var message = new V1.StreamGenerateResponse { CandidateIndex = candidate, TextDelta = update.Text, Usage = usage };
        message.TokenIds.Add(update.TokenIds);
        message.Tokens.AddRange(TokenMapping.ToTokens(generation.Tokenizer, update.Reports));
        if (update.PromptReports is { } prompt)
        {
            message.PromptTokens.AddRange(TokenMapping.ToPrompt(generation, prompt));
        }
        if (update.End is { } end)
        {
            message.FinishReason = ToFinishReason(end);
            message.Error = end.Error ?? "";
            message.StopSequence = end.StopSequence;
        }
        return message;
    }

    /// <summary>What only the first message of a stream says.</summary>
    public static void Introduce(Generation generation, V1.StreamGenerateResponse message) =>
        (message.ModelVersion, message.Seed, message.WeightFormat) = (generation.ModelVersion, generation.Seed, WeightForms.ToFormat(generation.Form));

    public static V1.GenerateResponse ToResponse(Generation generation, IReadOnlyList<GenerateAnswer> answers, V1.Usage usage)
    {
        var response = new V1.GenerateResponse
        {
            Usage = usage, ModelVersion = generation.ModelVersion, Seed = generation.Seed, WeightFormat = WeightForms.ToFormat(generation.Form),
        };
        response.Candidates.AddRange(answers.Select(answer => answer.ToCandidate()));
        if (answers[0].PromptReports is { } prompt)
        {
            response.PromptTokens.AddRange(TokenMapping.ToPrompt(generation, prompt));
        }
        return response;
    }

    public static V1.FinishReason ToFinishReason(GenerationEnd end) => end.Error is null ? ToFinishReason(end.Reason) : V1.FinishReason.Aborted;

    private static V1.FinishReason ToFinishReason(StopReason reason) => reason switch
    {
        StopReason.EndOfText => V1.FinishReason.EndOfText,
        StopReason.StopSequence => V1.FinishReason.StopSequence,
        StopReason.StopToken => V1.FinishReason.StopToken,
        StopReason.Length => V1.FinishReason.Length,
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, message: null),
    };
}
