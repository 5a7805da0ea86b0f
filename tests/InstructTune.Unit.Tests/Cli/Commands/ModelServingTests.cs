using InstructTune.Cli.CommandLine;
using InstructTune.Unit.Tests.Client;

namespace InstructTune.Unit.Tests.Cli.Commands;

public sealed class ModelServingTests
{
    private static readonly V1.ServedModel s_served = new()
    {
        ModelVersion = "models/tiny/versions/1",
        WeightFormat = V1.WeightFormat.Int4,
        DeviceBytes = 3 << 20,
        Pinned = true,
        RunningCount = 2,
        Parity = new() { TokenCount = 170, TokenAgreement = 0.75, MaxLogitDifference = 2.5, Float32Loss = 3, LossDifference = -0.25 },
    };

    [Fact]
    public async Task A_version_is_loaded_in_the_format_that_is_asked_for_and_its_certificate_shown()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.Inference.Served.ServedModels.Add(s_served);

        var run = await CliRun.Async(api, "model", "load", "tiny@1", "--weight-format", "int4", "--pin");

        var request = Assert.Single(api.Services.Inference.Loads);
        Assert.Equal(("models/tiny/versions/1", V1.WeightFormat.Int4, true), (request.Name, request.WeightFormat, request.Pinned));
        Assert.Contains("Weights: int4. Beside float32 on 170 tokens", run.Out, StringComparison.Ordinal);
        Assert.Contains("by -0.2500.", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_in_memory_is_listed_with_its_format()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.Inference.Served.ServedModels.Add(s_served);

        var run = await CliRun.Async(api, "model", "served");

        Assert.Matches(@"tiny(@1)? +int4 +3\.1 MB +yes +2 +75.0 ?%", run.Out);
    }

    [Fact]
    public async Task A_version_is_unloaded_by_name()
    {
        await using var api = await FakeApi.StartAsync();
        Assert.Equal(ExitCode.Ok, (await CliRun.Async(api, "model", "unload", "tiny@2")).ExitCode);
        Assert.Equal(["models/tiny/versions/2"], api.Services.Inference.Unloads);
    }

    [Theory]
    [InlineData("model", "load", "tiny", "--weight-format", "int3")]
    [InlineData("generate", "x", "--model", "tiny", "--weight-format", "INT8")]
    public async Task A_format_that_does_not_exist_is_refused_with_those_that_do(params string[] arguments)
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, arguments);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("float32, bfloat16, int8, int4, gguf", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generate_insists_on_a_format()
    {
        await using var api = await FakeApi.StartAsync();
        await CliRun.Async(api, "generate", "x", "--model", "tiny", "--weight-format", "bfloat16");
        Assert.Equal(V1.WeightFormat.Bfloat16, Assert.Single(api.Services.Inference.Requests).WeightFormat);
    }
}
