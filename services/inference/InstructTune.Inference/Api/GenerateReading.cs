using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Api;

/// <summary>A generate request into a record. Everything that is wrong with it, and can be seen without its model, is in one answer.</summary>
internal static class GenerateReading
{
    private const int MaxCandidates = 16;
    private const int MaxStops = 16;
    private const int MaxStopCharacters = 64;

    private const int MaxSaltCharacters = 64;

    public static GenerateCall Read(V1.GenerateRequest request, WeightForm configured, Metadata headers)
    {
        FieldViolations violations = new();
        RequestIds.Check(request.RequestId, violations);
        var standing = StandingReading.Read(request.Priority, request.Tenant, headers, violations);
        violations.Check(request.CacheSalt.Length <= MaxSaltCharacters, "cache_salt", $"must have at most {MaxSaltCharacters} characters");
        ModelNames.Check(request.Model, violations);
        var input = PromptReading.Read(request, violations);
        var sampling = ReadSampling(request.Sampling, violations);
        violations.Check(request.MaxOutputTokens >= 0, "max_output_tokens", "must be at least 0; 0 means up to the context limit");
        violations.Check(
            request.MaxOutputTokens == 0 || sampling.MinTokens <= Math.Max(0, request.MaxOutputTokens),
            "sampling.min_tokens",
            "must be at most max_output_tokens");
        CheckStops(request, violations);
        CheckReports(request, violations);
        WeightForms.Check(request.WeightFormat, violations);
        violations.ThrowIfAny();
        return new GenerateCall(
            request.Model,
            input,
            sampling,
            request.Sampling?.HasSeed == true ? request.Sampling.Seed : null,
            request.MaxOutputTokens,
            [.. request.StopSequences],
            [.. request.StopTokenIds])
        {
            Standing = standing,
            Form = WeightForms.Read(request.WeightFormat, configured),
            CacheSalt = request.CacheSalt,
            SkipsPrefixCache = request.SkipPrefixCache,
            Count = request.Sampling?.HasN == true ? request.Sampling.N : 1,
            IgnoreEndOfText = request.Sampling?.IgnoreEos ?? false,
            IncludeStopSequence = request.IncludeStopSequence,
            TruncatePromptTokens = request.TruncatePromptTokens,
            Reports = request.HasTopLogprobs || request.LogprobTokenIds.Count > 0 ? new(request.TopLogprobs, [.. request.LogprobTokenIds]) : null,
            PromptReports = request.IncludePromptLogprobs ? new(request.TopLogprobs, []) : null,
        };
    }

    private static void CheckReports(V1.GenerateRequest request, FieldViolations violations)
    {
        violations.Check(request.Sampling?.HasN != true || request.Sampling.N is >= 1 and <= MaxCandidates, "sampling.n", $"must be from 1 to {MaxCandidates}");
        violations.Check(request.TopLogprobs is >= 0 and <= TokenReport.MaxAlternatives, "top_logprobs", $"must be from 0 to {TokenReport.MaxAlternatives}");
        violations.Check(
            request.LogprobTokenIds.Count <= TokenReport.MaxTokenIds, "logprob_token_ids", $"must have at most {TokenReport.MaxTokenIds} entries");
        violations.Check(request.TruncatePromptTokens >= 0, "truncate_prompt_tokens", "must be at least 0; 0 means never cut");
    }

    private static SamplingOptions ReadSampling(V1.SamplingParameters? message, FieldViolations violations)
    {
        var standard = new SamplingOptions();
        if (message is null)
        {
            return standard;
        }
        var options = new SamplingOptions
        {
            Temperature = message.HasTemperature ? message.Temperature : standard.Temperature,
            TopP = message.HasTopP ? message.TopP : standard.TopP,
            TopK = message.HasTopK ? message.TopK : standard.TopK,
            MinP = message.HasMinP ? message.MinP : standard.MinP,
            RepetitionPenalty = message.HasRepetitionPenalty ? message.RepetitionPenalty : standard.RepetitionPenalty,
            PresencePenalty = message.HasPresencePenalty ? message.PresencePenalty : standard.PresencePenalty,
            FrequencyPenalty = message.HasFrequencyPenalty ? message.FrequencyPenalty : standard.FrequencyPenalty,
            MinTokens = message.HasMinTokens ? message.MinTokens : standard.MinTokens,
            LogitBias = message.LogitBias.ToDictionary(),
            AllowedTokenIds = [.. message.AllowedTokenIds],
        };
        foreach (var (field, problem) in options.Check())
        {
            violations.Check(false, "sampling." + field, problem);
        }
        return options;
    }

    private static void CheckStops(V1.GenerateRequest request, FieldViolations violations)
    {
        violations.Check(request.StopSequences.Count <= MaxStops, "stop_sequences", $"must have at most {MaxStops} entries");
        foreach (var (index, stop) in request.StopSequences.Take(MaxStops).Index())
        {
            violations.Check(
                stop.EnumerateRunes().Take(MaxStopCharacters + 1).Count() is > 0 and <= MaxStopCharacters,
                $"stop_sequences[{index}]",
                $"must have 1 to {MaxStopCharacters} characters");
        }
        violations.Check(request.StopTokenIds.Count <= MaxStops, "stop_token_ids", $"must have at most {MaxStops} entries");
    }
}
