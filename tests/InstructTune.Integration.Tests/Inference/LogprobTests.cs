using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Log-probabilities, several continuations, and what else a request can ask of its tokens.</summary>
public sealed class LogprobTests(LogprobTests.SharedHost shared) : IClassFixture<LogprobTests.SharedHost>
{
    private readonly InferenceHost _host = shared.Host;

    [Fact]
    public async Task Logprobs_are_those_of_scoring_and_of_the_model_alone()
    {
        var request = Requests.Sampled(InferenceHost.Base, "the hill", seed: 4, maxTokens: 12);
        request.TopLogprobs = 5;
        request.IncludePromptLogprobs = true;
        request.Sampling.RepetitionPenalty = 1.4;
        request.Sampling.LogitBias.Add(40, 3);

        var response = await _host.GenerateAsync(request);

        using var twin = new SlowTwin(1);
        int[] prompt = [.. response.PromptTokens.Select(token => token.TokenId)];
        var tokens = response.Candidates[0].Tokens;
        Assert.Equal(response.TokenIds, tokens.Select(token => token.TokenId));
        AssertNear(twin.Logprobs(prompt, [.. response.TokenIds]), tokens.Select(token => token.Logprob));
        AssertNear(twin.Logprobs(prompt[..1], prompt[1..]), response.PromptTokens.Skip(1).Select(token => token.Logprob));
        Assert.False(response.PromptTokens[0].HasLogprob);
        var score = new ScoreRequest { Model = InferenceHost.Base };
        score.Items.Add(new ScoreRequest.Types.Item
        {
            PromptTokenIds = new TokenIds { Ids = { prompt } }, ContinuationTokenIds = new TokenIds { Ids = { response.TokenIds } },
        });
        AssertNear((await _host.ScoreAsync(score)).Scores[0].TokenLogprobs, tokens.Select(token => token.Logprob));
    }

    [Fact]
    public async Task Alternatives_fall_and_hold_the_token_itself_bit_for_bit()
    {
        var request = Requests.Greedy(InferenceHost.Red, "river", maxTokens: 8);
        request.TopLogprobs = 20;
        request.LogprobTokenIds.Add([7, 300, 7]);

        var tokens = (await _host.GenerateAsync(request)).Candidates[0].Tokens;

        Assert.All(tokens, token =>
        {
            Assert.Equal(23, token.Alternatives.Count);
            var best = token.Alternatives.Take(20).ToList();
            Assert.Equal((token.TokenId, token.Logprob, token.Bytes), (best[0].TokenId, best[0].Logprob, best[0].Bytes));
            Assert.Equal(best.OrderByDescending(a => a.Logprob).ThenBy(a => a.TokenId), best);
            Assert.Equal([7, 300, 7], token.Alternatives.Skip(20).Select(a => a.TokenId));
            Assert.True(token.Alternatives.Sum(a => Math.Exp(a.Logprob)) <= 1 + (3 * Math.Exp(best[0].Logprob)));
        });
    }

    [Fact]
    public async Task A_stream_reports_what_the_whole_answer_reports()
    {
        var request = Requests.Sampled(InferenceHost.Base, string.Concat(Enumerable.Repeat("a long prompt of many words ", 12)), seed: 9, maxTokens: 20);
        request.TopLogprobs = 3;
        request.IncludePromptLogprobs = true;
        request.Sampling.N = 3;
        var whole = await _host.GenerateAsync(request);

        var stream = await _host.StreamAsync(request);

        Assert.True(whole.PromptTokens.Count > 130, "the prompt takes several chunks");
        Assert.Equal(whole.PromptTokens, stream.SelectMany(message => message.PromptTokens));
        Assert.Equal(whole.Usage.OutputTokens, stream[^1].Usage.OutputTokens);
        Assert.Equal(whole.ModelVersion, stream[0].ModelVersion);
        foreach (var (index, candidate) in whole.Candidates.Index())
        {
            var own = stream.Where(message => message.CandidateIndex == index).ToList();
            Assert.Equal(candidate.Text, string.Concat(own.Select(message => message.TextDelta)));
            Assert.Equal(candidate.Tokens, own.SelectMany(message => message.Tokens));
            Assert.Equal(candidate.FinishReason, own[^1].FinishReason);
        }
    }

    [Fact]
    public async Task Without_being_asked_for_nothing_is_reported()
    {
        var response = await _host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "x", maxTokens: 3));
        Assert.Empty(response.PromptTokens);
        Assert.Empty(response.Candidates.Single().Tokens);
    }

    [Fact]
    public async Task Each_continuation_draws_for_itself_and_the_first_is_that_of_a_request_for_one()
    {
        var one = await _host.GenerateAsync(Requests.Sampled(InferenceHost.Blue, "so", seed: 21));
        var request = Requests.Sampled(InferenceHost.Blue, "so", seed: 21);
        request.Sampling.N = 4;

        var four = await _host.GenerateAsync(request);
        var again = await _host.GenerateAsync(request);

        Assert.Equal(one.Candidates[0], four.Candidates[0]);
        Assert.Equal(four.Candidates, again.Candidates);
        Assert.Equal(4, four.Candidates.Select(candidate => string.Join(' ', candidate.TokenIds)).Distinct().Count());
        Assert.Equal(four.Candidates.Sum(candidate => candidate.TokenIds.Count), four.Usage.OutputTokens);
    }

    [Fact]
    public async Task Allowed_ids_and_biases_decide_what_can_be_chosen()
    {
        var request = Requests.Sampled(InferenceHost.Base, "x", seed: 3);
        request.Sampling.AllowedTokenIds.Add([70, 71, 72]);
        request.Sampling.LogitBias.Add(72, -100);

        var ids = (await _host.GenerateAsync(request)).TokenIds;

        Assert.Equal(24, ids.Count);
        Assert.All(ids, id => Assert.InRange(id, 70, 71));
    }

    [Fact]
    public async Task A_matched_stop_sequence_is_part_of_the_text_on_request()
    {
        var whole = await _host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "the hill"));
        var request = Requests.Greedy(InferenceHost.Base, "the hill");
        var stop = whole.Text.Substring(whole.Text.Length / 2, 2);
        request.StopSequences.Add(stop);
        var without = await _host.GenerateAsync(request);
        request.IncludeStopSequence = true;

        var with = await _host.GenerateAsync(request);

        Assert.Equal(without.Text + stop, with.Text);
        Assert.Equal(FinishReason.StopSequence, with.FinishReason);
    }

    [Fact]
    public async Task A_cut_prompt_answers_like_its_last_tokens()
    {
        var cut = Requests.Greedy(InferenceHost.Base, "");
        cut.TokenIds = new TokenIds { Ids = { Enumerable.Range(20, 50) } };
        cut.TruncatePromptTokens = 8;
        var tail = Requests.Greedy(InferenceHost.Base, "");
        tail.TokenIds = new TokenIds { Ids = { Enumerable.Range(62, 8) } };

        Assert.Equal((await _host.GenerateAsync(tail)).TokenIds, (await _host.GenerateAsync(cut)).TokenIds);
    }

    [Fact]
    public async Task End_of_text_can_be_ignored()
    {
        var request = Requests.Greedy(InferenceHost.Base, "x", maxTokens: 6);
        request.Sampling.AllowedTokenIds.Add(TinyTokenizer.EndOfText);
        var stopped = await _host.GenerateAsync(request);
        request.Sampling.IgnoreEos = true;

        var ignored = await _host.GenerateAsync(request);

        Assert.Equal((FinishReason.EndOfText, 1), (stopped.FinishReason, stopped.TokenIds.Count));
        Assert.Equal((FinishReason.Length, 6), (ignored.FinishReason, ignored.TokenIds.Count));
    }

    [Theory]
    [InlineData("sampling.n", 0)]
    [InlineData("sampling.n", 17)]
    [InlineData("sampling.n", int.MaxValue)]
    [InlineData("top_logprobs", -1)]
    [InlineData("top_logprobs", 21)]
    [InlineData("truncate_prompt_tokens", -1)]
    [InlineData("logprob_token_ids", 129)]
    [InlineData("sampling.allowed_token_ids", 1025)]
    [InlineData("sampling.logit_bias", 1025)]
    public async Task A_field_over_its_limit_is_refused_by_name(string field, int value)
    {
        var request = Requests.Greedy(InferenceHost.Base, "x", maxTokens: 1);
        Set(request, field, value);

        var exception = await _host.GenerateAsync(request).FailsAsync("FIELD_INVALID");

        Assert.Equal([field], exception.Fields());
    }

    [Theory]
    [InlineData("sampling.n", 16)]
    [InlineData("top_logprobs", 20)]
    [InlineData("top_logprobs", 0)]
    [InlineData("logprob_token_ids", 128)]
    public async Task A_field_at_its_limit_is_served(string field, int value)
    {
        var request = Requests.Greedy(InferenceHost.Base, "x", maxTokens: 1);
        Set(request, field, value);
        Assert.NotEmpty((await _host.GenerateAsync(request)).Candidates);
    }

    [Fact]
    public async Task Biases_that_are_no_numbers_in_range_and_ids_that_are_no_tokens_are_refused()
    {
        var request = Requests.Greedy(InferenceHost.Base, "x", maxTokens: 1);
        request.Sampling.LogitBias.Add(1, double.NaN);
        Assert.Equal(["sampling.logit_bias"], (await _host.GenerateAsync(request).FailsAsync("FIELD_INVALID")).Fields());

        request.Sampling.LogitBias.Clear();
        request.Sampling.LogitBias.Add(511, 1);
        request.Sampling.AllowedTokenIds.Add([5, -1]);
        request.LogprobTokenIds.Add(511);
        Assert.Equal(
            ["sampling.logit_bias[0]", "sampling.allowed_token_ids[1]", "logprob_token_ids[0]"],
            (await _host.GenerateAsync(request).FailsAsync("FIELD_INVALID")).Fields());
    }

    private static void Set(GenerateRequest request, string field, int value)
    {
        switch (field)
        {
            case "sampling.n":
                request.Sampling.N = value;
                break;
            case "top_logprobs":
                request.TopLogprobs = value;
                break;
            case "truncate_prompt_tokens":
                request.TruncatePromptTokens = value;
                break;
            case "logprob_token_ids":
                request.LogprobTokenIds.Add(Enumerable.Repeat(3, value));
                break;
            case "sampling.allowed_token_ids":
                request.Sampling.AllowedTokenIds.Add(Enumerable.Repeat(3, value));
                break;
            default:
                Enumerable.Range(0, value).ToList().ForEach(id => request.Sampling.LogitBias.Add(id, 1));
                break;
        }
    }

    private static void AssertNear(IEnumerable<double> expected, IEnumerable<double> actual) =>
        Assert.All(expected.Zip(actual, (e, a) => Math.Abs(e - a)), error => Assert.InRange(error, 0, 1e-4));

    /// <summary>No test changes it.</summary>
    public sealed class SharedHost : IAsyncLifetime
    {
        internal InferenceHost Host { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Host = await InferenceHost.StartWithModelsAsync();

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }
}
