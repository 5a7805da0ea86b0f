using InstructTune.Evaluation.Runs;
using InstructTune.Evaluation.Suites;
using InstructTune.V1;
using Microsoft.Extensions.Options;

namespace InstructTune.Evaluation.Peers;

/// <summary>Models as the inference service runs them.</summary>
internal sealed class InferencePeer(
    InferenceService.InferenceServiceClient client, PatientCalls calls, IOptions<EvaluationOptions> options) : IAnswerer
{
    private const int MaxItemsPerCall = 256;

    public async Task<GeneratedText> GenerateAsync(
        string modelVersion, Question question, SuiteTask task, ulong seed, CancellationToken ct)
    {
        var request = PromptMapping.ToGenerateRequest(question.Prompt);
        request.Model = modelVersion;
        request.Sampling = SamplingMapping.ToProto(task.Sampling);
        request.Sampling.Seed = seed;
        request.MaxOutputTokens = task.MaxOutputTokens;
        request.StopSequences.Add(task.StopSequences);
        var response = await calls.RunAsync(async call => await client.GenerateAsync(request, call), options.Value.AnswerTimeout, ct);
        return new GeneratedText(response.Text, ToEnding(response.FinishReason));
    }

    public async Task<IReadOnlyList<double>> ScoreChoicesAsync(string modelVersion, Question question, CancellationToken ct)
    {
        var logprobs = new List<double>();
        foreach (var choices in question.Choices.Chunk(MaxItemsPerCall))
        {
            var request = new ScoreRequest { Model = modelVersion };
            request.Items.Add(choices.Select(choice => PromptMapping.ToScoreItem(question, choice)));
            var response = await calls.RunAsync(async call => await client.ScoreAsync(request, call), options.Value.AnswerTimeout, ct);
            logprobs.AddRange(response.Scores.Select(score => score.Logprob));
        }
        return logprobs;
    }

    private static Ending ToEnding(FinishReason reason) => reason switch
    {
        FinishReason.EndOfText => Ending.EndOfText,
        FinishReason.StopSequence => Ending.StopSequence,
        FinishReason.StopToken => Ending.StopToken,
        FinishReason.Length => Ending.Length,
        _ => Ending.None,
    };
}
