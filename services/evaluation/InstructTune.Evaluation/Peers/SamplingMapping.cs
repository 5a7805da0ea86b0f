using InstructTune.Evaluation.Suites;
using InstructTune.V1;

namespace InstructTune.Evaluation.Peers;

/// <summary>Sampling settings to the API and back; absent stays absent.</summary>
internal static class SamplingMapping
{
    public static Sampling ToDomain(SamplingParameters sampling) => new()
    {
        Temperature = sampling.HasTemperature ? sampling.Temperature : null,
        TopP = sampling.HasTopP ? sampling.TopP : null,
        TopK = sampling.HasTopK ? sampling.TopK : null,
        MinP = sampling.HasMinP ? sampling.MinP : null,
        RepetitionPenalty = sampling.HasRepetitionPenalty ? sampling.RepetitionPenalty : null,
        PresencePenalty = sampling.HasPresencePenalty ? sampling.PresencePenalty : null,
        FrequencyPenalty = sampling.HasFrequencyPenalty ? sampling.FrequencyPenalty : null,
        MinTokens = sampling.HasMinTokens ? sampling.MinTokens : null,
    };

    public static SamplingParameters ToProto(Sampling sampling)
    {
        var result = new SamplingParameters();
        Set(sampling.Temperature, value => result.Temperature = value);
        Set(sampling.TopP, value => result.TopP = value);
        Set(sampling.TopK, value => result.TopK = value);
        Set(sampling.MinP, value => result.MinP = value);
        Set(sampling.RepetitionPenalty, value => result.RepetitionPenalty = value);
        Set(sampling.PresencePenalty, value => result.PresencePenalty = value);
        Set(sampling.FrequencyPenalty, value => result.FrequencyPenalty = value);
        Set(sampling.MinTokens, value => result.MinTokens = value);
        return result;
    }

    private static void Set<T>(T? value, Action<T> set)
        where T : struct
    {
        if (value is { } present)
        {
            set(present);
        }
    }
}
