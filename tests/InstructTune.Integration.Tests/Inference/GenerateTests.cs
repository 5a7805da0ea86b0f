using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

public sealed class GenerateTests : IAsyncLifetime
{
    private InferenceHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await InferenceHost.StartWithModelsAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    [Covers("InferenceService/Generate", "OK")]
    public async Task Generate_answers_with_text_ids_counts_and_the_exact_version()
    {
        var request = Requests.Greedy("models/base/versions/latest", "a boat in the", maxTokens: 12);

        var response = await _host.GenerateAsync(request);

        Assert.Equal(InferenceHost.Base, response.ModelVersion);
        Assert.Equal(12, response.TokenIds.Count);
        Assert.Equal(12, response.Usage.OutputTokens);
        Assert.True(response.Usage.PromptTokens > 1);
        Assert.Equal(FinishReason.Length, response.FinishReason);
        Assert.True(response.Usage.TimeToFirstToken.ToTimeSpan() >= response.Usage.QueueTime.ToTimeSpan());
        Assert.NotEmpty(response.Text);
    }

    [Fact]
    [Covers("InferenceService/StreamGenerate", "OK")]
    public async Task Deltas_of_a_stream_join_to_the_text_of_the_unary_method()
    {
        foreach (var seed in Enumerable.Range(0, 8))
        {
            var request = Requests.Sampled(InferenceHost.Red, "the sea was", (ulong)seed, maxTokens: 40);
            request.StopSequences.Add(["ab", "q", "xyz"]);

            var unary = await _host.GenerateAsync(request);
            var stream = await _host.StreamAsync(request);

            Assert.Equal(unary.Text, string.Concat(stream.Select(message => message.TextDelta)));
            Assert.Equal(unary.TokenIds, stream.SelectMany(message => message.TokenIds));
            Assert.Equal(unary.FinishReason, stream[^1].FinishReason);
            Assert.Equal(unary.StopSequence, stream[^1].StopSequence);
            Assert.Equal(unary.Usage.OutputTokens, stream[^1].Usage.OutputTokens);
            Assert.Equal((unary.ModelVersion, unary.Seed), (stream[0].ModelVersion, stream[0].Seed));
            Assert.All(stream.Skip(1), message => Assert.Equal("", message.ModelVersion));
        }
    }

    [Fact]
    public async Task A_stop_sequence_ends_the_text_before_it_wherever_tokens_divide_it()
    {
        var whole = await _host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "tell me", maxTokens: 40));
        for (var start = 0; start + 3 <= whole.Text.Length; start += 5)
        {
            var stop = whole.Text.Substring(start, 3);
            if (stop.Contains('\uFFFD', StringComparison.Ordinal) || stop.Any(char.IsSurrogate))
            {
                continue;
            }
            var request = Requests.Greedy(InferenceHost.Base, "tell me", maxTokens: 40);
            request.StopSequences.Add(stop);

            var stopped = await _host.GenerateAsync(request);

            Assert.Equal(FinishReason.StopSequence, stopped.FinishReason);
            Assert.Equal(stop, stopped.StopSequence);
            Assert.Equal(whole.Text[..whole.Text.IndexOf(stop, StringComparison.Ordinal)], stopped.Text);
        }
    }

    [Fact]
    public async Task A_stop_token_ends_the_text_and_is_not_part_of_it()
    {
        var whole = await _host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "tell me", maxTokens: 20));
        var request = Requests.Greedy(InferenceHost.Base, "tell me", maxTokens: 20);
        request.StopTokenIds.Add(whole.TokenIds[7]);

        var stopped = await _host.GenerateAsync(request);

        Assert.Equal(FinishReason.StopToken, stopped.FinishReason);
        Assert.Equal(whole.TokenIds[7], stopped.TokenIds[^1]);
        Assert.StartsWith(stopped.Text, whole.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_sequence_that_spells_a_control_token_ends_the_text_at_that_token()
    {
        var request = Requests.Greedy(InferenceHost.Base, "tell me", maxTokens: 6);
        request.Sampling.IgnoreEos = true;
        request.Sampling.AllowedTokenIds.Add(TinyTokenizer.EndOfText);
        request.StopSequences.Add(["never", "<|end|>"]);

        var stopped = await _host.GenerateAsync(request);

        Assert.Equal((FinishReason.StopToken, 1, ""), (stopped.FinishReason, stopped.TokenIds.Count, stopped.Text));
    }

    [Fact]
    public async Task A_seed_that_was_drawn_is_returned_and_repeats_the_text()
    {
        var request = Requests.Sampled(InferenceHost.Base, "a story", seed: 0);
        request.Sampling.ClearSeed();
        var first = await _host.GenerateAsync(request);
        var other = await _host.GenerateAsync(request);

        request.Sampling.Seed = first.Seed;
        var again = await _host.GenerateAsync(request);

        Assert.NotEqual(first.Seed, other.Seed);
        Assert.Equal(first.TokenIds, again.TokenIds);
        Assert.Equal(first.Seed, again.Seed);
    }

    [Fact]
    public async Task Instructions_are_formatted_as_the_models_own_format_says()
    {
        var byServer = Requests.Greedy(InferenceHost.Base, "");
        byServer.Instruction = new Instruction { Instruction_ = "Name a tree." };
        var byHand = Requests.Greedy(
            InferenceHost.Base,
            "Below is an instruction that describes a task. Write a response that appropriately completes the request."
            + "\n\n### Instruction:\nName a tree.\n\n### Response:");
        var conversation = Requests.Greedy(InferenceHost.Base, "");
        conversation.Conversation = new Conversation { Turns = { new Conversation.Types.Turn { Role = "user", Text = "Name a tree." } } };

        var expected = await _host.GenerateAsync(byHand);

        Assert.Equal(expected.TokenIds, (await _host.GenerateAsync(byServer)).TokenIds);
        Assert.Equal(expected.TokenIds, (await _host.GenerateAsync(conversation)).TokenIds);
    }

    [Fact]
    public async Task Token_ids_are_used_exactly_as_given()
    {
        var request = Requests.Greedy(InferenceHost.Base, "");
        request.TokenIds = new TokenIds { Ids = { 40, 41, 42 } };

        var response = await _host.GenerateAsync(request);

        Assert.Equal(3, response.Usage.PromptTokens);
    }

    [Fact]
    public async Task The_context_bounds_a_text_without_a_limit()
    {
        var request = Requests.Endless(InferenceHost.Base);
        request.Sampling.MinTokens = 512;

        var response = await _host.GenerateAsync(request);

        Assert.Equal(FinishReason.Length, response.FinishReason);
        Assert.Equal(512, response.Usage.PromptTokens + response.Usage.OutputTokens);
    }
}
