using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Requests that tests vary.</summary>
internal static class Requests
{
    public static GenerateRequest Greedy(string model, string prompt, int maxTokens = 24) => new()
    {
        Model = model,
        RawPrompt = prompt,
        MaxOutputTokens = maxTokens,
        Sampling = new SamplingParameters { Temperature = 0 },
    };

    public static GenerateRequest Sampled(string model, string prompt, ulong seed, int maxTokens = 24) => new()
    {
        Model = model,
        RawPrompt = prompt,
        MaxOutputTokens = maxTokens,
        Sampling = new SamplingParameters { Temperature = 1, TopP = 0.95, Seed = seed },
    };

    /// <summary>Runs until it is cancelled, or the context is full.</summary>
    public static GenerateRequest Endless(string model, string prompt = "once upon a time")
    {
        var request = Sampled(model, prompt, seed: 5, maxTokens: 0);
        request.Sampling.MinTokens = 400;
        return request;
    }

    public static ScoreRequest Score(string model, params (string Prompt, string Continuation)[] items)
    {
        var request = new ScoreRequest { Model = model };
        request.Items.AddRange(items.Select(item => new ScoreRequest.Types.Item { Prompt = item.Prompt, Continuation = item.Continuation }));
        return request;
    }
}
