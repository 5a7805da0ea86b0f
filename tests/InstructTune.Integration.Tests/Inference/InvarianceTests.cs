using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>The same 200 requests in every company: identical tokens, and identical bits of log-probabilities.</summary>
public sealed class InvarianceTests
{
    private const int Count = 200;

    [Theory]
    [InlineData("torch")]
    [InlineData("float32")]
    public async Task Alone_in_batches_with_other_adapters_after_preemption_and_with_prefix_hits_the_tokens_are_the_same(string weightFormat)
    {
        GenerateRequest[] requests = [.. Enumerable.Range(0, Count).Select(RequestOf)];
        await using var alone = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", weightFormat), ("Inference:PrefixBytes", "0"));
        List<string> expected = [];
        foreach (var request in requests)
        {
            expected.Add(Content(await alone.GenerateAsync(request)));
        }
        await using var host = await InferenceHost.StartWithModelsAsync(
            ("Inference:WeightFormat", weightFormat), ("Inference:CacheBytes", "1048576"), ("Inference:ReservedOutputTokens", "8"), ("Inference:MaxRunning", "32"));
        var order = Enumerable.Range(0, Count).ToArray();
        var random = new Random(20);
        random.Shuffle(order);

        // Every size of batch from 4 to 32, then all over again with prompts that are known.
        for (var round = 0; round < 2; round++)
        {
            for (int at = 0, size = 4; at < Count; at += size, size = 4 + ((size + 5) % 29))
            {
                var batch = order[at..Math.Min(Count, at + size)];
                var answers = await host.TogetherAsync([.. batch.Select(index => requests[index])]);
                Assert.Equal(batch.Select(index => expected[index]), answers.Select(Content));
            }
        }

        Assert.True(host.Figures.PrefixHits > 0 && host.Figures.Preemptions > 0, $"{host.Figures.PrefixHits} hits, {host.Figures.Preemptions} preemptions.");
    }

    private static GenerateRequest RequestOf(int index)
    {
        string[] models = [InferenceHost.Base, InferenceHost.Red, InferenceHost.Blue];
        var prompt = string.Concat(Enumerable.Repeat($"{(char)('a' + (index % 7))} b c ", 1 + (index * 13 % 45)));
        var request = index % 2 == 0
            ? Requests.Greedy(models[index % 3], prompt, maxTokens: 4 + (index % 30))
            : Requests.Sampled(models[index % 3], prompt, seed: (ulong)index, maxTokens: 4 + (index % 30));
        request.Sampling.IgnoreEos = true;
        request.TopLogprobs = 1;
        return request;
    }

    private static string Content(GenerateResponse response) =>
        string.Join(' ', response.Candidates[0].Tokens.Select(token => $"{token.TokenId}:{BitConverter.DoubleToInt64Bits(token.Logprob):x}"));
}
