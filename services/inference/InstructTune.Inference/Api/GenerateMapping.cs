using Google.Protobuf.WellKnownTypes;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Api;

/// <summary>What was generated, as messages.</summary>
internal static class GenerateMapping
{
    public static V1.StreamGenerateResponse ToDelta(Generation generation, GenerationUpdate update, bool isFirst)
    {
        var message = new V1.StreamGenerateResponse
        {
            TextDelta = update.Text,
            Usage = ToUsage(generation.PromptTokens, update.Figures),
        };
        message.TokenIds.Add(update.TokenIds);
        if (isFirst)
        {
            message.ModelVersion = generation.ModelVersion;
            message.Seed = generation.Seed;
        }
        if (update.End is { } end)
        {
            message.FinishReason = ToFinishReason(end.Reason);
            message.StopSequence = end.StopSequence;
        }
        return message;
    }

    public static V1.Usage ToUsage(int promptTokens, GenerationFigures figures) => new()
    {
        PromptTokens = promptTokens,
        OutputTokens = figures.OutputTokens,
        QueueTime = Duration.FromTimeSpan(figures.QueueTime),
        TimeToFirstToken = Duration.FromTimeSpan(figures.TimeToFirstToken),
    };

    public static V1.FinishReason ToFinishReason(StopReason reason) => reason switch
    {
        StopReason.EndOfText => V1.FinishReason.EndOfText,
        StopReason.StopSequence => V1.FinishReason.StopSequence,
        StopReason.StopToken => V1.FinishReason.StopToken,
        StopReason.Length => V1.FinishReason.Length,
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, message: null),
    };
}
