using System.Text.Json;
using InstructTune.Cli.CommandLine;
using InstructTune.Unit.Tests.Client;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Cli.Commands;

public sealed class ServingCommandsTests
{
    [Fact]
    public async Task An_answer_is_written_as_it_comes()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "generate", "say hello", "--model", "tiny", "--temperature", "0", "--stop", "x");
        Assert.Equal("you said: say hello", run.Out.Trim());
        var request = Assert.Single(api.Services.Inference.Requests);
        Assert.Equal("models/tiny/versions/latest", request.Model);
        Assert.Equal(0, request.Sampling.Temperature);
        Assert.False(request.Sampling.HasTopP);
        Assert.Equal(["x"], request.StopSequences);
    }

    [Fact]
    public async Task An_instruction_may_come_through_a_pipe()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, new Interrupts(), "from a pipe", "generate", "--model", "tiny");
        Assert.Equal("you said: from a pipe", run.Out.Trim());
    }

    [Fact]
    public async Task An_answer_as_JSON_is_the_whole_response()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "generate", "x", "--model", "tiny", "--json");
        Assert.Equal("whole", JsonDocument.Parse(run.Out).RootElement.GetProperty("candidates")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task Log_probabilities_are_written_token_by_token()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(
            api, "generate", "x", "--model", "tiny", "--logprobs", "1", "--prompt-logprobs", "--top-p", "0.9", "--min-p", "0.1", "--top-k", "5", "--repetition-penalty", "1.2",
            "--presence-penalty", "0.5", "--frequency-penalty", "0.25", "--min-tokens", "2", "--n", "2");

        var request = api.Services.Inference.Requests.Single();
        Assert.Equal((1, true, 2), (request.TopLogprobs, request.IncludePromptLogprobs, request.Sampling.N));
        Assert.Equal((0.9, 0.1, 5, 1.2), (request.Sampling.TopP, request.Sampling.MinP, request.Sampling.TopK, request.Sampling.RepetitionPenalty));
        Assert.Equal((0.5, 0.25, 2), (request.Sampling.PresencePenalty, request.Sampling.FrequencyPenalty, request.Sampling.MinTokens));
        string[] lines =
        [
            "prompt        5          -  \"x\"",
            "output        7    -0.5000  \" whole\"            -0.2500 \"half\"  -1.0000 bytes:C3",
        ];
        Assert.Equal(lines, run.Out.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData]
    [InlineData("--json")]
    [InlineData("--n", "1")]
    public async Task A_length_that_nobody_gave_gives_way_to_a_short_context(params string[] how)
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.Inference.RoomTokens = 56;

        var run = await CliRun.Async(api, ["generate", "x", "--model", "tiny", .. how]);

        Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
        Assert.Equal([256, 0], api.Services.Inference.Requests.Select(request => request.MaxOutputTokens));
    }

    [Theory]
    [InlineData(56, "--max-tokens", "57")]
    [InlineData(0)]
    public async Task A_length_that_was_given_and_a_prompt_that_fills_the_context_are_refused(int roomTokens, params string[] how)
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.Inference.RoomTokens = roomTokens;

        var run = await CliRun.Async(api, ["generate", "x", "--model", "tiny", .. how]);

        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Contains("Too long", run.Error, StringComparison.Ordinal);
        Assert.Single(api.Services.Inference.Requests);
    }

    [Fact]
    public async Task A_chat_goes_on_where_the_context_has_less_room_than_an_answer_may_take()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.Inference.RoomTokens = 56;

        var run = await CliRun.Async(api, new Interrupts(), "one\n/exit\n", "chat", "--model", "tiny");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains("you said: one", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chat_keeps_its_turns()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, new Interrupts(), "one\n\ntwo\n/exit\nthree\n", "chat", "--model", "tiny", "--system", "be kind");
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Equal(2, api.Services.Inference.Requests.Count);
        var turns = api.Services.Inference.Requests[1].Conversation.Turns;
        Assert.Equal(["system", "user", "assistant", "user"], turns.Select(turn => turn.Role));
        Assert.Equal(["be kind", "one", "you said: one", "two"], turns.Select(turn => turn.Text));
    }

    [Fact]
    public async Task A_reset_forgets_the_turns()
    {
        await using var api = await FakeApi.StartAsync();
        await CliRun.Async(api, new Interrupts(), "one\n/reset\ntwo\n", "chat", "--model", "tiny");
        Assert.Equal(["two"], api.Services.Inference.Requests[1].Conversation.Turns.Select(turn => turn.Text));
    }

    [Fact]
    public async Task Lists_are_read_to_their_last_page()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "dataset", "list", "--json");
        var names = JsonDocument.Parse(run.Out).RootElement.GetProperty("datasets").EnumerateArray().Select(item => item.GetProperty("name").GetString());
        Assert.Equal(["datasets/lima", "datasets/dolly"], names);
    }

    [Fact]
    public async Task Import_reads_the_options_of_the_source()
    {
        await using var api = await FakeApi.StartAsync();
        using var folder = new InstructTune.Testing.TemporaryFolder();
        await using (var writer = new StreamWriter(folder["d.jsonl"]))
        {
            await writer.WriteLineAsync("{}");
        }

        var run = await CliRun.Async(
            api, "dataset", "import", folder["d.jsonl"], "--format", "jsonl", "--column", "output=answer", "--max-rejected", "2", "--task", "t");
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        var options = api.Services.Datasets.Options!;
        Assert.Equal(SourceFormat.JsonLines, options.Format);
        Assert.Equal("answer", options.Columns["output"]);
        Assert.Equal(2, options.MaxRejected);
        Assert.Equal("t", options.Task);
    }
}
