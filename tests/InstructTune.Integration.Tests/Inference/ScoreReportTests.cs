using InstructTune.V1;
using Item = InstructTune.V1.ScoreRequest.Types.Item;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>What a score tells beside its sum: labels, rivals, borders, usage.</summary>
public sealed class ScoreReportTests
{
    private const string Context = "the colour of the sky is";

    [Theory]
    [InlineData("torch")]
    [InlineData("int8")]
    public async Task Labels_have_the_scores_of_continuations_of_one_token_and_cost_nothing_beside_the_context(string weightFormat)
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", weightFormat), ("Inference:PrefixBytes", "0"));
        int[] labels = [70, 71, 3, 70];
        var alone = new ScoreRequest { Model = InferenceHost.Red };
        alone.Items.Add(labels.Select(id => new Item { Prompt = Context, ContinuationTokenIds = new TokenIds { Ids = { id } } }));
        var expected = (await host.ScoreAsync(alone)).Scores.Select(score => score.Logprob).ToArray();
        var before = host.Engine.Counters.Rows;

        var request = new ScoreRequest { Model = InferenceHost.Red, Items = { new Item { Prompt = Context, LabelTokenIds = { labels } } } };
        request.Items.Add(new Item { Prompt = Context, Continuation = " blue", LabelTokenIds = { 71 } });
        var scores = (await host.ScoreAsync(request)).Scores;

        Assert.Equal(expected.Length, scores[0].LabelLogprobs.Count);
        Assert.All(expected.Zip(scores[0].LabelLogprobs), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.Equal((0, true), (scores[0].TokenCount, scores[0].IsGreedy));
        Assert.Equal(scores[0].LabelLogprobs[1], Assert.Single(scores[1].LabelLogprobs));
        Assert.Equal(scores[0].PromptTokenCount + scores[1].TokenCount - 1, host.Engine.Counters.Rows - before);
        var plain = (await host.ScoreAsync(Requests.Score(InferenceHost.Red, (Context, " blue")))).Scores[0];
        Assert.All(plain.TokenLogprobs.Zip(scores[1].TokenLogprobs), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Theory]
    [InlineData("torch")]
    [InlineData("float32")]
    public async Task Every_token_comes_with_its_rivals_as_when_it_is_generated(string weightFormat)
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:WeightFormat", weightFormat));
        var generate = Requests.Greedy(InferenceHost.Blue, Context, maxTokens: 8);
        generate.TopLogprobs = 5;
        var made = (await host.GenerateAsync(generate)).Candidates[0];

        var score = Assert.Single((await host.ScoreAsync(new ScoreRequest
        {
            Model = InferenceHost.Blue, TopLogprobs = 5, Items = { new Item { Prompt = Context, ContinuationTokenIds = new TokenIds { Ids = { made.TokenIds } } } },
        })).Scores);

        Assert.True(score.IsGreedy);
        Assert.Equal(score.TokenLogprobs, score.Tokens.Select(token => token.Logprob));
        Assert.Equal(made.Tokens.Select(token => (token.TokenId, token.Bytes)), score.Tokens.Select(token => (token.TokenId, token.Bytes)));
        foreach (var (expected, actual) in made.Tokens.Zip(score.Tokens))
        {
            Assert.Equal(5, actual.Alternatives.Count);
            Assert.Equal((actual.TokenId, actual.Logprob), (actual.Alternatives[0].TokenId, actual.Alternatives[0].Logprob));
            Assert.Equal(expected.Alternatives.Select(rival => rival.TokenId), actual.Alternatives.Select(rival => rival.TokenId));
            Assert.All(expected.Alternatives.Zip(actual.Alternatives), pair => Assert.Equal(pair.First.Logprob, pair.Second.Logprob, 1e-4));
        }
    }

    [Fact]
    public async Task A_conversation_is_scored_after_what_it_renders_to()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var turns = new Conversation();
        turns.Turns.Add(new[] { ("user", "hello"), ("assistant", "hi"), ("user", "bye") }.Select(turn => new Conversation.Types.Turn { Role = turn.Item1, Text = turn.Item2 }));
        var rendered = await host.Client.RenderPromptAsync(
            new RenderPromptRequest { Model = InferenceHost.Base, Conversation = turns }, cancellationToken: TestContext.Current.CancellationToken);
        var ids = new TokenIds { Ids = { 70, 71 } };

        var scores = (await host.ScoreAsync(new ScoreRequest
        {
            Model = InferenceHost.Base,
            Items = { new Item { Conversation = turns, ContinuationTokenIds = ids }, new Item { PromptTokenIds = new TokenIds { Ids = { rendered.TokenIds } }, ContinuationTokenIds = ids } },
        })).Scores;

        Assert.Equal(scores[1], scores[0]);
        turns.Turns[^1].Role = "assistant";
        var refusal = await host.ScoreAsync(new ScoreRequest { Model = InferenceHost.Base, Items = { new Item { Conversation = turns, Continuation = "x" } } }).FailsAsync("FIELD_INVALID");
        Assert.Equal(["items[0].conversation.turns[2]"], refusal.Fields());
    }

    [Fact]
    public async Task Without_the_token_that_begins_a_text_the_first_of_a_continuation_of_nothing_is_not_scored()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = Requests.Score(InferenceHost.Base, ("z", "zqq"), ("", "zzqq"));
        request.OmitBeginningOfText = true;

        var scores = (await host.ScoreAsync(request)).Scores;

        Assert.Equal((1, 3), (scores[1].PromptTokenCount, scores[1].TokenCount));
        Assert.Equal(scores[0].TokenLogprobs, scores[1].TokenLogprobs);
        request.Items[1].Continuation = "z";
        Assert.Equal(["items[1].continuation"], (await host.ScoreAsync(request).FailsAsync("FIELD_INVALID")).Fields());
    }

    /// <summary>"b" and "a" are one token of the tiny tokenizer, "b" and "c" are two.</summary>
    [Fact]
    public async Task A_token_that_spans_the_border_is_told()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();

        var scores = (await host.ScoreAsync(Requests.Score(InferenceHost.Base, ("b", "a"), ("b", "c"), ("b", "")))).Scores;

        Assert.Equal([true, false, false], scores.Select(score => score.BoundaryMerged));
    }

    [Fact]
    public async Task A_shared_context_is_counted_once_and_the_second_time_comes_from_the_cache()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var context = string.Concat(Enumerable.Repeat("long before the river came ", 12));
        var request = Requests.Score(InferenceHost.Base, (context, "zq"), (context, "q"));

        var (first, second) = (await host.ScoreAsync(request), await host.ScoreAsync(request));

        Assert.Equal(first.Scores[0].PromptTokenCount + first.Scores.Sum(score => score.TokenCount), first.Usage.PromptTokens);
        Assert.Equal((0, 0), (first.Usage.CachedPromptTokens, first.Usage.OutputTokens));
        Assert.InRange(second.Usage.CachedPromptTokens, 64, first.Scores[0].PromptTokenCount);
        Assert.Equal(first.Scores, second.Scores);
    }

    [Fact]
    public async Task Too_many_and_unknown_labels_and_rivals_are_refused_by_field()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = Requests.Score(InferenceHost.Base, ("a", "b"), ("a", "b"));
        request.TopLogprobs = 21;
        request.Items[0].LabelTokenIds.Add(Enumerable.Repeat(3, 129));
        request.Items[1].ClearTarget();
        Assert.Equal(["items[0].label_token_ids", "items[1].target", "top_logprobs"], (await host.ScoreAsync(request).FailsAsync("FIELD_INVALID")).Fields());

        request.TopLogprobs = 20;
        request.Items[0].LabelTokenIds.RemoveAt(0);
        request.Items[1].LabelTokenIds.Add(TinyTokenizer.Count);
        Assert.Equal(["items[1].label_token_ids[0]"], (await host.ScoreAsync(request).FailsAsync("FIELD_INVALID")).Fields());
        request.Items[1].LabelTokenIds[0]--;
        Assert.Equal([128, 1], (await host.ScoreAsync(request)).Scores.Select(score => score.LabelLogprobs.Count));
    }
}
