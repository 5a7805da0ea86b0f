using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Memory for a few sequences and requests for many: who is thrown out is computed again, and says the same.</summary>
public sealed class PreemptionTests
{
    private static readonly (string, string)[] _scarce =
        [("Inference:CacheBytes", "458752"), ("Inference:ReservedOutputTokens", "16"), ("Inference:PrefixBytes", "0")];

    [Theory]
    [InlineData("torch", 0)]
    [InlineData("torch", 131072)]
    [InlineData("float32", 0)]
    [InlineData("int8", 131072)]
    public async Task Sequences_that_are_thrown_out_have_the_tokens_they_have_alone(string weightFormat, int prefixBytes)
    {
        await using var host = await InferenceHost.StartWithModelsAsync(
            [.. _scarce[..2], ("Inference:PrefixBytes", $"{prefixBytes}"), ("Inference:WeightFormat", weightFormat)]);
        GenerateRequest[] requests = [.. Enumerable.Range(0, 12).Select(RequestOf)];
        List<GenerateResponse> alone = [];
        foreach (var request in requests)
        {
            alone.Add(await host.GenerateAsync(request));
        }
        Assert.Equal(0, host.Figures.Preemptions);

        var together = await host.TogetherAsync(requests);

        Assert.True(host.Figures.Preemptions >= 4, $"{host.Figures.Preemptions} preemptions.");
        for (var i = 0; i < requests.Length; i++)
        {
            Assert.Equal(alone[i].TokenIds, together[i].TokenIds);
            Assert.Equal(alone[i].Candidates[0].Tokens, together[i].Candidates[0].Tokens);
            Assert.Equal(alone[i].PromptTokens, together[i].PromptTokens);
        }
        await host.IsIdleAsync();
    }

    private static GenerateRequest RequestOf(int index)
    {
        var request = Requests.Sampled(
            index % 3 == 0 ? InferenceHost.Red : InferenceHost.Base, string.Concat(Enumerable.Repeat($"w{index} ", 20)), seed: (ulong)index, maxTokens: 150);
        request.Sampling.IgnoreEos = true;
        request.TopLogprobs = 2;
        request.IncludePromptLogprobs = index % 2 == 0;
        return request;
    }
}
