using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

public sealed class ScoreTests : IAsyncLifetime
{
    private InferenceHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await InferenceHost.StartWithModelsAsync(("Inference:PrefixBytes", "0"));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    [Covers("InferenceService/Score", "OK")]
    public async Task Greedy_text_scores_as_greedy_and_other_text_does_not()
    {
        var text = await _host.GenerateAsync(Requests.Greedy(InferenceHost.Red, "a hill", maxTokens: 10));
        var request = new ScoreRequest { Model = InferenceHost.Red };
        request.Items.Add(new ScoreRequest.Types.Item { Prompt = "a hill", ContinuationTokenIds = new TokenIds { Ids = { text.TokenIds } } });
        request.Items.Add(request.Items[0].Clone());
        request.Items[1].ContinuationTokenIds.Ids[4] = text.TokenIds[4] == 50 ? 51 : 50;

        var scores = (await _host.ScoreAsync(request)).Scores;

        Assert.True(scores[0].IsGreedy);
        Assert.False(scores[1].IsGreedy);
        Assert.Equal(10, scores[0].TokenCount);
        Assert.Equal(scores[0].TokenLogprobs.Sum(), scores[0].Logprob);
        Assert.Equal(scores[0].TokenLogprobs.Take(4), scores[1].TokenLogprobs.Take(4));
        Assert.All(scores[0].TokenLogprobs, logprob => Assert.InRange(logprob, -50, 0));
    }

    [Fact]
    public async Task Items_with_one_context_share_its_computation_and_score_as_alone()
    {
        var context = string.Concat(Enumerable.Repeat("long before the river came ", 12));
        string[] continuations = ["", "a", "bo", "zzzz qqqq", "the end of it all", "x"];
        var together = Requests.Score(InferenceHost.Base, [.. continuations.Select(continuation => (context, continuation))]);
        List<ScoreResponse.Types.Score> alone = [];
        var rowsBefore = _host.Engine.Counters.Rows;
        foreach (var continuation in continuations)
        {
            alone.Add((await _host.ScoreAsync(Requests.Score(InferenceHost.Base, (context, continuation)))).Scores[0]);
        }
        var rowsAlone = _host.Engine.Counters.Rows - rowsBefore;

        var scores = (await _host.ScoreAsync(together)).Scores;
        var rowsTogether = _host.Engine.Counters.Rows - rowsBefore - rowsAlone;

        Assert.Equal(alone, scores);
        Assert.Equal(5 * alone[0].PromptTokenCount, rowsAlone - rowsTogether);
    }

    [Fact]
    public async Task Spaces_at_the_end_of_a_prompt_belong_to_the_continuation()
    {
        var request = Requests.Score(InferenceHost.Base, ("the word is ", "hat"), ("the word is", " hat"));

        var scores = (await _host.ScoreAsync(request)).Scores;

        Assert.Equal(scores[1].TokenLogprobs, scores[0].TokenLogprobs);
        Assert.Equal(scores[1].PromptTokenCount, scores[0].PromptTokenCount);
        Assert.Equal((3, 4), (scores[0].CharacterCount, scores[1].CharacterCount));
    }

    [Fact]
    public async Task An_empty_continuation_scores_0_and_characters_are_not_bytes()
    {
        var request = Requests.Score(InferenceHost.Base, ("something", ""), ("", "\u00e9\U0001F600"));

        var scores = (await _host.ScoreAsync(request)).Scores;

        Assert.Equal((0.0, 0, true), (scores[0].Logprob, scores[0].TokenCount, scores[0].IsGreedy));
        Assert.Equal((2, 6), (scores[1].CharacterCount, scores[1].ByteCount));
        Assert.Equal(1, scores[1].PromptTokenCount);
        Assert.Equal(6, scores[1].TokenCount);
    }

    [Fact]
    public async Task Scores_are_those_of_a_pass_over_the_whole_text()
    {
        using var twin = new SlowTwin(seed: 1);
        int[] context = [0, 70, 71, 72, 90, 95, 30];
        int[] continuation = [101, 60, 61, 62, 63];
        var request = new ScoreRequest { Model = InferenceHost.Base };
        request.Items.Add(new ScoreRequest.Types.Item
        {
            PromptTokenIds = new TokenIds { Ids = { context } }, ContinuationTokenIds = new TokenIds { Ids = { continuation } },
        });

        var score = (await _host.ScoreAsync(request)).Scores[0];

        var expected = twin.Logprobs(context, continuation);
        Assert.Equal(expected.Length, score.TokenLogprobs.Count);
        Assert.All(expected.Zip(score.TokenLogprobs), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }
}
