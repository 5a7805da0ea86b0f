using System.Text.Json;
using InstructTune.Cli.CommandLine;
using InstructTune.Unit.Tests.Client;

namespace InstructTune.Unit.Tests.Cli.Commands;

public sealed class ModelInspectTests
{
    [Fact]
    public async Task Every_token_has_a_line_with_its_bytes_and_a_mark_where_it_is_trained()
    {
        await using var api = await FakeApi.StartAsync();

        var run = await CliRun.Async(api, "model", "inspect", "tiny", "--prompt", "Say hi.", "--input", "now", "--response", "hi");

        var request = Assert.Single(api.Services.Inference.Renderings);
        Assert.Equal(("Say hi.", "now", "hi"), (request.Instruction.Instruction_, request.Instruction.Input, request.Response));
        var lines = run.Out.TrimEnd().Split('\n');
        Assert.Contains("2 tokens, 1 trained", run.Out, StringComparison.Ordinal);
        Assert.Matches(@"^ +0   +7  610a +`a\\n`$", lines[^2]);
        Assert.Matches(@"^ +1 \* +8  e282 +`\\xe2\\x82`$", lines[^1]);
        Assert.DoesNotContain('\u001b', run.Out);
    }

    [Fact]
    public async Task Weights_in_fewer_bits_come_with_what_was_measured_of_them()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.Inference.Served.ServedModels.Add(new V1.ServedModel
        {
            ModelVersion = "models/tiny/versions/1",
            WeightFormat = V1.WeightFormat.Int8,
            Parity = new() { TokenCount = 170, TokenAgreement = 0.9824, MaxLogitDifference = 0.31, Float32Loss = 3.1, LossDifference = 0.002 },
        });

        var run = await CliRun.Async(api, "model", "inspect", "tiny", "--prompt", "x");

        Assert.Contains("Weights: int8. Beside float32 on 170 tokens", run.Out, StringComparison.Ordinal);
        Assert.Contains("agrees on 98.2 % of them, the largest logit gap is 0.31, the loss goes from 3.1000 by +0.0020", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_not_told_what_is_in_memory_sees_the_rest()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.Inference.ServedRefusal = new(V1.ErrorReason.AdminKeyRequired, "no administrator");

        var run = await CliRun.Async(api, "model", "inspect", "tiny", "--prompt", "x");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains("2 tokens, 1 trained", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_messages_keeps_roles_and_weights()
    {
        await using var api = await FakeApi.StartAsync();
        using var folder = new InstructTune.Testing.TemporaryFolder();
        var file = Path.Combine(folder.Path, "chat.json");
        using (var stream = File.Create(file))
        {
            JsonSerializer.Serialize(stream, new { messages = new object[] { new { role = "user", content = "a" }, new { role = "assistant", content = "b", weight = 0 } } });
        }

        var run = await CliRun.Async(api, "model", "inspect", "tiny", "--messages", file, "--json");

        var turns = Assert.Single(api.Services.Inference.Renderings).Conversation.Turns;
        Assert.Equal([("user", "a", false), ("assistant", "b", true)], turns.Select(turn => (turn.Role, turn.Text, turn.HasTrained)));
        Assert.Equal("alpaca", JsonDocument.Parse(run.Out).RootElement.GetProperty("prompt_format").GetString());
    }

    [Theory]
    [InlineData("--prompt", "x", "--messages", "y")]
    [InlineData("--input", "x")]
    [InlineData("--messages", "no-such-file.json")]
    public async Task What_cannot_be_rendered_is_told_in_one_line(params string[] arguments)
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, ["model", "inspect", "tiny", .. arguments]);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }
}
