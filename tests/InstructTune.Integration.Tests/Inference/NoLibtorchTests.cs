using System.Globalization;
using System.Net;
using System.Text.Json;
using Grpc.Net.Client;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Serving on our own kernels needs no libtorch in its process.</summary>
public sealed class NoLibtorchTests
{
    /// <summary>Ten times what it takes on a quiet machine.</summary>
    private const double LongestStartSeconds = 30;

    private static readonly string[] s_libtorch = ["libLibTorchSharp", "libtorch_cpu", "libtorch.so", "libc10"];

    [Theory]
    [InlineData("float32", false)]
    [InlineData("bfloat16", false)]
    [InlineData("int8", false)]
    [InlineData("int4", false)]
    [InlineData("torch", true)]
    public async Task A_process_that_served_a_base_and_an_adapter_has_libtorch_only_where_it_was_asked_for(string weightFormat, bool expected)
    {
        var token = TestContext.Current.CancellationToken;
        await using var site = await InferenceSite.StartAsync();
        await site.PublishAsync(InferenceHost.Base, folder => TinyModel.Write(folder, 1, 512));
        await site.PublishAsync(InferenceHost.Red, folder => TinyAdapter.Write(folder, 2), InferenceHost.Base);

        using var process = await site.ServeAsync(("Inference:WeightFormat", weightFormat));
        using var channel = GrpcChannel.ForAddress(process.Address);
        var client = new InferenceService.InferenceServiceClient(channel);
        foreach (var model in (string[])[InferenceHost.Base, InferenceHost.Red])
        {
            var answer = await client.GenerateAsync(Requests.Greedy(model, "once upon", maxTokens: 4), cancellationToken: token);
            Assert.Equal(4, answer.Usage.OutputTokens);
        }
        var served = await client.ListServedModelsAsync(new ListServedModelsRequest(), cancellationToken: token);
        Assert.Equal(2, served.ServedModels.Count);
        Assert.InRange(await TimeToReadyAsync(process, token), 0.01, LongestStartSeconds);

        var mapped = process.MappedFiles();
        Assert.Contains(mapped, file => file.EndsWith("libcoreclr.so", StringComparison.Ordinal));
        Assert.Equal(expected, Array.Exists(mapped, file => Array.Exists(s_libtorch, name => file.Contains(name, StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Loops_of_a_fresh_process_are_optimised_before_they_run()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "InstructTune.Inference.runtimeconfig.json"), TestContext.Current.CancellationToken);
        using var settings = JsonDocument.Parse(text);
        var properties = settings.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties");

        Assert.False(properties.GetProperty("System.Runtime.TieredCompilation.QuickJitForLoops").GetBoolean());
    }

    private static async Task<double> TimeToReadyAsync(ServiceProcess process, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var lines = (await http.GetStringAsync(process.Address + MetricsEndpoint.Path, cancellationToken)).Split('\n');
        var line = lines.Single(line => line.StartsWith("instructtune_inference_time_to_ready_seconds", StringComparison.Ordinal));
        return double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
