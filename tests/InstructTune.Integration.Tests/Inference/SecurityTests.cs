using System.Collections.Concurrent;
using Grpc.Core;
using InstructTune.Storage;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>What those who attack servers like this one have tried.</summary>
public sealed class SecurityTests
{
    private const string Secret = "zebra crossing nineteen";

    public static TheoryData<string> Names =>
    [
        "http://10.0.0.1/models/x", "file:///etc/passwd", "s3://bucket/model", "../../etc/passwd", "models/../versions/1", "models/x/versions/..",
        "models/%2e%2e/versions/1", "models/x/versions/1/../../y", "models/x\0/versions/1", "models/x/versions/1 ", "/models/x/versions/1",
        "models//versions/1", "models/\u0445/versions/1", "models/x/versions/1\n", "C:\\models\\x", "models/x/versions/1?y", "",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_name_that_could_be_a_path_or_an_address_goes_no_further(string name)
    {
        await using var host = await InferenceHost.StartAsync();

        await host.GenerateAsync(Requests.Greedy(name, "x")).FailsAsync("FIELD_INVALID");
        await host.ScoreAsync(Requests.Score(name, ("a", "b"))).FailsAsync("FIELD_INVALID");
        Assert.Equal(0, host.Registry.Questions);
    }

    [Fact]
    public async Task An_adapter_that_is_a_pickle_is_refused_by_name()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        await host.PublishAdapterAsync("models/pickle/versions/1", InferenceHost.Base, folder =>
        {
            TinyAdapter.Write(folder, seed: 3);
            File.Move(Path.Combine(folder, "adapter_model.safetensors"), Path.Combine(folder, "adapter_model.bin"));
        });

        var failed = await host.GenerateAsync(Requests.Greedy("models/pickle/versions/1", "x")).FailsAsync("MODEL_FILES_INVALID");

        Assert.Contains("pickle", failed.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_with_the_right_name_and_another_content_is_refused()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        await host.PublishAdapterAsync("models/zip/versions/1", InferenceHost.Base, folder =>
        {
            TinyAdapter.Write(folder, seed: 3);
            AtomicFile.Write(Path.Combine(folder, "adapter_model.safetensors"), [0x50, 0x4B, 3, 4, .. new byte[200]]);
        });

        await host.GenerateAsync(Requests.Greedy("models/zip/versions/1", "x")).FailsAsync("MODEL_FILES_INVALID");
    }

    [Fact]
    public async Task Errors_tell_no_path_and_logs_no_prompt()
    {
        var log = new CapturingLog();
        await using var host = await InferenceHost.StartAsync(services => services.AddSingleton<ILoggerProvider>(log));
        await host.PublishBaseAsync(InferenceHost.Base, seed: 1);
        var sha256 = await host.PublishAdapterAsync(InferenceHost.Red, InferenceHost.Base, folder => TinyAdapter.Write(folder, 4, spread: 1e30));

        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, Secret));
        var broken = await host.GenerateAsync(Requests.Greedy(InferenceHost.Red, Secret)).FailsAsync("INTERNAL");
        var tooLong = await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, string.Concat(Enumerable.Repeat(Secret, 100)))).FailsAsync("PROMPT_TOO_LONG");
        File.Delete(Path.Combine(host.ArtifactFolder(sha256), "adapter_config.json"));
        await using var other = await InferenceHost.StartAsync();
        var unknown = await other.GenerateAsync(Requests.Greedy("models/nobody/versions/1", Secret)).FailsAsync("RESOURCE_NOT_FOUND");

        foreach (var failed in new[] { broken, tooLong, unknown })
        {
            Assert.DoesNotContain(Path.GetTempPath(), failed.Status.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, failed.Status.Detail, StringComparison.Ordinal);
        }
        Assert.NotEmpty(log.Lines);
        Assert.DoesNotContain(log.Lines, line => line.Contains("zebra", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Control_tokens_that_somebody_types_stay_text()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var plain = await host.Client.TokenizeAsync(
            new TokenizeRequest { Model = InferenceHost.Base, Text = "<|begin|>" }, cancellationToken: TestContext.Current.CancellationToken);
        var rendered = await host.Client.RenderPromptAsync(
            new RenderPromptRequest { Model = InferenceHost.Base, Instruction = new Instruction { Instruction_ = "say <|begin|> and <|end|>" } },
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.DoesNotContain(TinyTokenizer.BeginOfText, plain.TokenIds);
        Assert.InRange(rendered.TokenIds.Count(id => id == TinyTokenizer.BeginOfText), 0, 1);
        Assert.DoesNotContain(TinyTokenizer.EndOfText, rendered.TokenIds);
        Assert.Contains("<|begin|> and <|end|>", rendered.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_gateway_says_about_the_tenant_counts_more_than_the_request()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = Requests.Greedy(InferenceHost.Base, string.Concat(Enumerable.Repeat("a b c ", 40)), maxTokens: 1);
        request.Tenant = "victim";
        await host.GenerateAsync(request);

        var spy = await host.Client.GenerateAsync(request, new Metadata { { "instructtune-tenant", "key-of-another" } }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(0, spy.Usage.CachedPromptTokens);
        Assert.True((await host.GenerateAsync(request)).Usage.CachedPromptTokens > 0);
    }

    private sealed class CapturingLog : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
