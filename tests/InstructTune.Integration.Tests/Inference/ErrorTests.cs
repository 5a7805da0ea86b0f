using Google.Rpc;
using Grpc.Core;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

public sealed class ErrorTests
{
    private const string Nobody = "models/nobody/versions/1";

    [Fact]
    [Covers("InferenceService/Generate", "FIELD_INVALID")]
    [Covers("InferenceService/StreamGenerate", "FIELD_INVALID")]
    public async Task Everything_that_is_wrong_with_a_request_is_in_one_answer()
    {
        await using var host = await InferenceHost.StartAsync();
        var request = new GenerateRequest
        {
            Model = "models/x",
            MaxOutputTokens = -1,
            Sampling = new SamplingParameters
            {
                Temperature = double.NaN, TopP = 0, TopK = -1, MinP = 1.5, RepetitionPenalty = 0, PresencePenalty = -2.5,
                FrequencyPenalty = double.PositiveInfinity, MinTokens = -1,
            },
        };
        request.StopSequences.Add(["", new string('x', 65)]);
        string[] expected =
        [
            "model", "input", "max_output_tokens", "stop_sequences[0]", "stop_sequences[1]",
            .. new[] { "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "min_tokens" }
                .Select(field => "sampling." + field),
        ];

        var unary = await host.GenerateAsync(request).FailsAsync("FIELD_INVALID");
        var stream = await host.StreamAsync(request).FailsAsync("FIELD_INVALID");

        Assert.Equal(StatusCode.InvalidArgument, unary.StatusCode);
        Assert.Equal(expected.Order(), unary.Fields().Order());
        Assert.Equal(unary.Fields(), stream.Fields());
    }

    [Theory]
    [InlineData("stop_sequences", 17)]
    [InlineData("stop_token_ids", 17)]
    public async Task Too_many_stops_are_refused(string field, int count)
    {
        await using var host = await InferenceHost.StartAsync();
        var request = Requests.Greedy(InferenceHost.Base, "x");
        if (field == "stop_sequences")
        {
            request.StopSequences.Add(Enumerable.Range(0, count).Select(i => $"stop{i}"));
        }
        else
        {
            request.StopTokenIds.Add(Enumerable.Range(0, count));
        }

        var exception = await host.GenerateAsync(request).FailsAsync("FIELD_INVALID");

        Assert.Equal([field], exception.Fields());
    }

    [Fact]
    public async Task Ids_outside_the_vocabulary_are_refused_by_position()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var generate = Requests.Greedy(InferenceHost.Base, "");
        generate.TokenIds = new TokenIds { Ids = { 3, 511, 4 } };
        generate.StopTokenIds.Add(-1);
        var score = new ScoreRequest { Model = InferenceHost.Base };
        score.Items.Add(new ScoreRequest.Types.Item
        {
            PromptTokenIds = new TokenIds { Ids = { 1 } }, ContinuationTokenIds = new TokenIds { Ids = { 5, -7 } },
        });

        var generating = await host.GenerateAsync(generate).FailsAsync("FIELD_INVALID");
        var scoring = await host.ScoreAsync(score).FailsAsync("FIELD_INVALID");

        Assert.Equal(["token_ids.ids[1]", "stop_token_ids[0]"], generating.Fields());
        Assert.Equal(["items[0].continuation_token_ids.ids[1]"], scoring.Fields());
    }

    [Fact]
    public async Task A_conversation_that_no_format_can_render_is_refused_by_turn()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = Requests.Greedy(InferenceHost.Base, "");
        request.Conversation = new Conversation();
        request.Conversation.Turns.Add(Enumerable.Repeat(new Conversation.Types.Turn { Role = "user", Text = "hello" }, 2));

        var exception = await host.GenerateAsync(request).FailsAsync("FIELD_INVALID");

        Assert.Equal(["conversation.turns[1]"], exception.Fields());
    }

    [Fact]
    [Covers("InferenceService/Score", "FIELD_INVALID")]
    public async Task A_score_request_names_every_item_that_is_wrong()
    {
        await using var host = await InferenceHost.StartAsync();
        var request = new ScoreRequest { Model = "nothing" };
        request.Items.Add(new ScoreRequest.Types.Item { Prompt = "fine", Continuation = "" });
        request.Items.Add(new ScoreRequest.Types.Item { Continuation = "x" });
        request.Items.Add(new ScoreRequest.Types.Item { PromptTokenIds = new TokenIds() });

        var exception = await host.ScoreAsync(request).FailsAsync("FIELD_INVALID");

        Assert.Equal(["model", "items[1].context", "items[2].prompt_token_ids.ids", "items[2].target"], exception.Fields());
    }

    [Fact]
    public async Task A_score_request_has_1_to_256_items()
    {
        await using var host = await InferenceHost.StartAsync();
        var many = new ScoreRequest { Model = InferenceHost.Base };
        many.Items.Add(Enumerable.Range(0, 257).Select(_ => new ScoreRequest.Types.Item { Prompt = "a", Continuation = "b" }));

        await host.ScoreAsync(new ScoreRequest { Model = InferenceHost.Base }).FailsAsync("FIELD_INVALID");
        await host.ScoreAsync(many).FailsAsync("FIELD_INVALID");
    }

    [Fact]
    [Covers("InferenceService/Generate", "RESOURCE_NOT_FOUND")]
    [Covers("InferenceService/StreamGenerate", "RESOURCE_NOT_FOUND")]
    [Covers("InferenceService/Score", "RESOURCE_NOT_FOUND")]
    public async Task An_unknown_adapter_is_not_found_and_never_the_base()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "x"));

        await host.GenerateAsync(Requests.Greedy(Nobody, "x")).FailsAsync("RESOURCE_NOT_FOUND");
        await host.StreamAsync(Requests.Greedy("models/red/versions/2", "x")).FailsAsync("RESOURCE_NOT_FOUND");
        await host.ScoreAsync(Requests.Score(Nobody, ("a", "b"))).FailsAsync("RESOURCE_NOT_FOUND");
    }

    [Fact]
    [Covers("InferenceService/Generate", "PROMPT_TOO_LONG")]
    [Covers("InferenceService/StreamGenerate", "PROMPT_TOO_LONG")]
    public async Task A_prompt_that_leaves_no_room_for_the_output_is_too_long()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var ids = new TokenIds();
        ids.Ids.Add(Enumerable.Repeat(7, 512));
        var full = Requests.Greedy(InferenceHost.Base, "", maxTokens: 0);
        full.TokenIds = ids;
        var fitting = full.Clone();
        fitting.TokenIds.Ids.RemoveAt(0);
        var tooMuchOutput = fitting.Clone();
        tooMuchOutput.MaxOutputTokens = 2;

        var exception = await host.GenerateAsync(full).FailsAsync("PROMPT_TOO_LONG");
        await host.StreamAsync(tooMuchOutput).FailsAsync("PROMPT_TOO_LONG");
        var response = await host.GenerateAsync(fitting);

        Assert.Equal("512", exception.GetRpcStatus()!.GetDetail<ErrorInfo>().Metadata["context_tokens"]);
        Assert.Equal(1, response.Usage.OutputTokens);
    }

    [Fact]
    [Covers("InferenceService/Score", "PROMPT_TOO_LONG")]
    public async Task A_long_context_is_cut_at_its_beginning_only_when_asked_for()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = new ScoreRequest { Model = InferenceHost.Base };
        var item = new ScoreRequest.Types.Item { PromptTokenIds = new TokenIds(), ContinuationTokenIds = new TokenIds { Ids = { 9, 10, 11 } } };
        item.PromptTokenIds.Ids.Add(Enumerable.Range(0, 515).Select(i => 3 + i % 200));
        request.Items.Add(item);

        await host.ScoreAsync(request).FailsAsync("PROMPT_TOO_LONG");
        request.TruncateContexts = true;
        var cut = (await host.ScoreAsync(request)).Scores[0];
        for (var i = 0; i < 5; i++)
        {
            item.PromptTokenIds.Ids.RemoveAt(0);
        }
        var byHand = (await host.ScoreAsync(request)).Scores[0];
        item.ContinuationTokenIds.Ids.Add(Enumerable.Repeat(9, 600));

        Assert.Equal((5, 510), (cut.TruncatedTokenCount, cut.PromptTokenCount));
        Assert.Equal(byHand.Logprob, cut.Logprob);
        await host.ScoreAsync(request).FailsAsync("PROMPT_TOO_LONG");
    }

    [Fact]
    [Covers("InferenceService/Generate", "QUEUE_FULL")]
    [Covers("InferenceService/StreamGenerate", "QUEUE_FULL")]
    [Covers("InferenceService/Score", "QUEUE_FULL")]
    public async Task A_full_queue_is_told_at_once_with_the_time_to_come_back()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:MaxWaiting", "1"));
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "load", maxTokens: 1));
        var turn = host.Turns.Enter(TestContext.Current.CancellationToken);
        var running = host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "first"));
        await Eventually.HoldsAsync(() => host.Engine.Counters.Running == 1, "the first runs");
        var waiting = host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "second"));
        await Eventually.HoldsAsync(() => host.WaitingRequests == 1, "the second waits");

        var questions = host.Registry.Questions;
        var exception = await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "third")).FailsAsync("QUEUE_FULL");
        await host.StreamAsync(Requests.Greedy(InferenceHost.Base, "third")).FailsAsync("QUEUE_FULL");
        await host.ScoreAsync(Requests.Score(InferenceHost.Base, ("a", "b"))).FailsAsync("QUEUE_FULL");
        // Before anything is read or looked up.
        await host.GenerateAsync(new GenerateRequest()).FailsAsync("QUEUE_FULL");
        Assert.Equal(questions, host.Registry.Questions);
        turn.Dispose();

        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        Assert.True(exception.GetRpcStatus()!.GetDetail<RetryInfo>().RetryDelay.ToTimeSpan() > TimeSpan.Zero);
        await running;
        await waiting;
    }

    [Fact]
    [Covers("InferenceService/Generate", "PEER_UNREACHABLE")]
    [Covers("InferenceService/StreamGenerate", "PEER_UNREACHABLE")]
    [Covers("InferenceService/Score", "PEER_UNREACHABLE")]
    public async Task With_the_registry_away_what_is_known_is_served_and_nothing_else()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var known = Requests.Greedy(InferenceHost.Red, "x");
        var before = await host.GenerateAsync(known);

        host.Registry.IsAway = true;

        Assert.Equal(before.TokenIds, (await host.GenerateAsync(known)).TokenIds);
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Blue, "x")).FailsAsync("PEER_UNREACHABLE");
        await host.StreamAsync(Requests.Greedy(InferenceHost.Blue, "x")).FailsAsync("PEER_UNREACHABLE");
        await host.ScoreAsync(Requests.Score(InferenceHost.Blue, ("a", "b"))).FailsAsync("PEER_UNREACHABLE");
    }

    [Fact]
    [Covers("InferenceService/Generate", "ARTIFACT_CORRUPT")]
    [Covers("InferenceService/StreamGenerate", "ARTIFACT_CORRUPT")]
    [Covers("InferenceService/Score", "ARTIFACT_CORRUPT")]
    public async Task Weights_that_changed_on_the_disk_are_never_served()
    {
        await using var host = await InferenceHost.StartAsync();
        var sha256 = await host.PublishBaseAsync(InferenceHost.Base, seed: 1);
        Damage(Path.Combine(host.ArtifactFolder(sha256), "model.safetensors"));

        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "x")).FailsAsync("ARTIFACT_CORRUPT");
        await host.StreamAsync(Requests.Greedy(InferenceHost.Base, "x")).FailsAsync("ARTIFACT_CORRUPT");
        await host.ScoreAsync(Requests.Score(InferenceHost.Base, ("a", "b"))).FailsAsync("ARTIFACT_CORRUPT");
    }

    [Fact]
    [Covers("InferenceService/Generate", "MODEL_DOES_NOT_FIT")]
    [Covers("InferenceService/StreamGenerate", "MODEL_DOES_NOT_FIT")]
    [Covers("InferenceService/Score", "MODEL_DOES_NOT_FIT")]
    public async Task A_model_larger_than_the_memory_allowed_is_refused()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:ModelBytes", "100000"));

        var exception = await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "x")).FailsAsync("MODEL_DOES_NOT_FIT");
        await host.StreamAsync(Requests.Greedy(InferenceHost.Base, "x")).FailsAsync("MODEL_DOES_NOT_FIT");
        await host.ScoreAsync(Requests.Score(InferenceHost.Base, ("a", "b"))).FailsAsync("MODEL_DOES_NOT_FIT");

        Assert.Equal("100000", exception.GetRpcStatus()!.GetDetail<ErrorInfo>().Metadata["limit_bytes"]);
    }

    private static void Damage(string file)
    {
        // Published files are read-only: the damaged one takes the place of the good one.
        var content = File.ReadAllBytes(file);
        content[^5] ^= 0x10;
        File.Delete(file);
        using var stream = new FileStream(file, FileMode.CreateNew, FileAccess.Write);
        stream.Write(content);
    }
}
