using InstructTune.Cli.CommandLine;
using InstructTune.Unit.Tests.Client;
using Rule = InstructTune.V1.MergeModelVersionsRequest.Types.AdapterRule;

namespace InstructTune.Unit.Tests.Cli.Commands;

public sealed class ModelMergeCommandTests
{
    [Fact]
    public async Task An_adapter_and_weights_become_a_request_and_the_answer_is_shown()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "model", "merge", "news@2", "sports=-0.5", "--into", "mixed", "--base", "llama");
        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        Assert.Contains("mixed@1", run.Out, StringComparison.Ordinal);
        var request = api.Services.Models.Merge!;
        Assert.Equal(("models/mixed", "models/llama/versions/latest"), (request.Parent, request.BaseModelVersion));
        Assert.Equal(["models/news/versions/2", "models/sports/versions/latest"], request.Components.Select(c => c.ModelVersion));
        Assert.Equal([false, true], request.Components.Select(c => c.HasWeight));
        Assert.Equal(-0.5, request.Components[1].Weight);
        Assert.Null(request.AdapterRule);
    }

    [Fact]
    public async Task A_rule_makes_an_adapter_of_adapters()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "model", "merge", "a", "b=2", "--into", "c", "--adapter", "dare-ties", "--density", "0.3", "--seed", "7");
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        var rule = api.Services.Models.Merge!.AdapterRule;
        Assert.Equal((Rule.Types.Kind.DareTies, 0.3, 7UL), (rule.Kind, rule.Density, rule.Seed));
    }

    [Theory]
    [InlineData("a=half", "--adapter", "cat", "not a weight")]
    [InlineData("a", "--adapter", "mean", "the rules are cat, linear")]
    public async Task A_weight_or_rule_that_is_none_is_refused_before_any_call(string component, string option, string value, string expected)
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "model", "merge", component, "--into", "c", option, value);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Null(api.Services.Models.Merge);
    }
}
