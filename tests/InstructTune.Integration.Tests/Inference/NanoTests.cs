using System.Text.Json;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>A real model, against what another program generated from the same files.</summary>
public sealed class NanoTests
{
    private const string Nano = "models/nano/versions/1";

    [Fact]
    public async Task Greedy_texts_that_run_together_are_those_of_the_reference()
    {
        var folder = FixtureFolder.RequireBeside("models/nano");
        using var expected = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "expected.json"), TestContext.Current.CancellationToken));
        var cases = expected.RootElement.GetProperty("cases").EnumerateArray().ToArray();
        await using var host = await InferenceHost.StartAsync(("Inference:CacheBytes", "67108864"));
        await host.PublishFolderAsync(Nano, folder);

        var answers = await Task.WhenAll(cases.Select(item => host.GenerateAsync(RequestOf(item))));

        Assert.NotEmpty(cases);
        foreach (var (item, answer) in cases.Zip(answers))
        {
            Assert.Equal(Ids(item, "greedy_ids"), answer.TokenIds);
            Assert.Equal(item.GetProperty("greedy_text").GetString(), answer.Text);
            Assert.Equal(item.GetProperty("input_ids").GetArrayLength(), answer.Usage.PromptTokens);
        }
    }

    [Fact]
    public async Task Texts_and_scores_beside_others_are_those_alone()
    {
        var folder = FixtureFolder.RequireBeside("models/nano");
        await using var host = await InferenceHost.StartAsync(("Inference:CacheBytes", "67108864"));
        await host.PublishFolderAsync(Nano, folder);
        GenerateRequest[] requests = [.. Enumerable.Range(0, 10).Select(i => Requests.Sampled(Nano, Prompt(i), seed: (ulong)i, maxTokens: 16 + i))];
        ScoreRequest[] scores = [.. Enumerable.Range(0, 4).Select(i => Requests.Score(Nano, (Prompt(3 * i), " happy"), (Prompt(3 * i), " sad and old")))];
        List<GenerateResponse> textsAlone = [];
        List<ScoreResponse> scoresAlone = [];
        foreach (var request in requests)
        {
            textsAlone.Add(await host.GenerateAsync(request));
        }
        foreach (var request in scores)
        {
            scoresAlone.Add(await host.ScoreAsync(request));
        }

        var texts = requests.Select(host.GenerateAsync).ToArray();
        var scored = await Task.WhenAll(scores.Select(host.ScoreAsync));

        Assert.Equal(textsAlone.Select(text => text.TokenIds), (await Task.WhenAll(texts)).Select(text => text.TokenIds));
        Assert.Equal(scoresAlone.Select(score => score.Scores), scored.Select(score => score.Scores));
    }

    /// <summary>Of very different lengths: from a few tokens to several chunks.</summary>
    private static string Prompt(int index) =>
        string.Concat(Enumerable.Repeat("The old house by the river was quiet, and ", 1 + (index * index / 4))) + $"then number {index}";

    private static GenerateRequest RequestOf(JsonElement item) =>
        Requests.Greedy(Nano, item.GetProperty("text").GetString()!, maxTokens: item.GetProperty("greedy_ids").GetArrayLength());

    private static IEnumerable<int> Ids(JsonElement item, string name) =>
        item.GetProperty(name).EnumerateArray().Select(id => id.GetInt32());
}
