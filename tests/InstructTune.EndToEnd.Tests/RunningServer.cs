using InstructTune.Client;
using InstructTune.Testing;

[assembly: AssemblyFixture(typeof(InstructTune.EndToEnd.Tests.RunningServer))]

namespace InstructTune.EndToEnd.Tests;

/// <summary>One server for all tests, started as a user starts it, with a base model and two small datasets.</summary>
public sealed class RunningServer : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private CommandLineProgram? _up;

    public const string Base = "world";
    public const string Generalist = "broad";
    public const string Specialist = "narrow";

    /// <summary>Gets the spans of the server.</summary>
    internal SpanCollector Traces { get; } = new();

    public string Home => _folder["home"];

    public string Scratch => _folder.Path;

    /// <summary>What a shell beside the server has set.</summary>
    public string[] Environment => ["INSTRUCTTUNE_HOME=" + Home];

    public static string BaseFolder { get; } = Path.Combine(
        System.Environment.GetEnvironmentVariable("INSTRUCTTUNE_MODELS") ?? Path.Combine(RepositoryRoot.Path, "models"), "world-base");

    public async ValueTask InitializeAsync()
    {
        _up = CommandLineProgram.Start(CommandLineProgram.InstructTune, ["up", "--data-folder", Home, "--port", "0"], Traces.Environment);
        await _up.LineAsync("Ctrl+C stops it.");
        await MustAsync("model", "import", BaseFolder, "--name", Base);
        await ImportAsync(Generalist, index => ($"repeat the word w{index}", "", $"w{index}"));
        await ImportAsync(Specialist, index => ("first word of the list", $"a{index} b{index}", $"a{index}"));
    }

    /// <summary>Runs the command line beside the server.</summary>
    internal Task<ProgramResult> RunAsync(params string[] arguments) =>
        CommandLineProgram.RunAsync(CommandLineProgram.InstructTune, arguments, Environment);

    internal CommandLineProgram Start(params string[] arguments) =>
        CommandLineProgram.Start(CommandLineProgram.InstructTune, arguments, Environment);

    public InstructTuneClient Connect()
    {
        var endpoint = ServerEndpoint.TryRead(Path.Combine(Home, ServerEndpoint.FileName))!;
        return new InstructTuneClient(new ClientOptions { Address = endpoint.Address, ApiKey = endpoint.ApiKey });
    }

    public string Write(string name, string text)
    {
        using var writer = new StreamWriter(_folder[name]);
        writer.Write(text);
        return _folder[name];
    }

    public async ValueTask DisposeAsync()
    {
        if (_up is not null)
        {
            _up.Signal("INT");
            await _up.EndAsync();
            await _up.DisposeAsync();
        }

        Traces.Dispose();
        _folder.Dispose();
    }

    private async Task ImportAsync(string name, Func<int, (string Instruction, string Input, string Output)> example)
    {
        var lines = Enumerable.Range(0, 64).Select(example).Select(row =>
            $$"""{"instruction":"{{row.Instruction}}","input":"{{row.Input}}","output":"{{row.Output}}"}""");
        var path = Write(name + ".jsonl", string.Join('\n', lines));
        await MustAsync("dataset", "import", path, "--name", name);
    }

    private async Task MustAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"instructtune {string.Join(' ', arguments)} failed: {result.All}");
        }
    }
}
