using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

public sealed class TwinTests
{
    [Theory]
    [InlineData("torch")]
    [InlineData("float32")]
    public async Task Greedy_tokens_are_those_of_a_model_without_cache_and_batch(string weightFormat)
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", weightFormat));
        using var twin = new SlowTwin(seed: 1);
        int[][] prompts = [[0, 5], [0, 70, 71, 72], [0, .. Enumerable.Range(0, 130).Select(i => 3 + i * 7 % 200)]];

        var answers = await Task.WhenAll(prompts.Select(prompt => host.GenerateAsync(RequestOf(prompt))));

        foreach (var (prompt, answer) in prompts.Zip(answers))
        {
            Assert.Equal(twin.Generate(prompt, answer.TokenIds.Count), answer.TokenIds);
        }
    }

    private static GenerateRequest RequestOf(int[] prompt)
    {
        var request = Requests.Greedy(InferenceHost.Base, "", maxTokens: 30);
        request.TokenIds = new TokenIds { Ids = { prompt } };
        return request;
    }
}
