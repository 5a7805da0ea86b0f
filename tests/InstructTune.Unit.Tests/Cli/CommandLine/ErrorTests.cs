using InstructTune.Cli.CommandLine;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.Unit.Tests.Client;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Cli.CommandLine;

/// <summary>The mistakes people make, and the one line each of them gets.</summary>
public sealed class ErrorTests
{
    [Fact]
    public async Task An_unknown_option_is_a_usage_error_that_points_to_the_help()
    {
        var run = await CliRun.Async(null, new Interrupts(), "", "finetune", "create", "--epochz", "3");
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Equal("instructtune: Unrecognized command or argument '--epochz'. See 'instructtune finetune create --help'.", Line(run));
    }

    [Fact]
    public async Task A_server_that_does_not_run_is_named_with_what_to_do()
    {
        var run = await CliRun.Async(null, new Interrupts(), "", "dataset", "list", "--server", "http://127.0.0.1:9");
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Equal(
            "instructtune: No InstructTune server answers at http://127.0.0.1:9. Start one with 'instructtune up', or name another with --server.",
            Line(run));
    }

    [Fact]
    public async Task A_missing_file_is_named()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "dataset", "import", "absent.jsonl");
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Equal("instructtune: There is no file or folder absent.jsonl.", Line(run));
    }

    [Fact]
    public async Task A_malformed_record_is_named_with_its_number()
    {
        await using var api = await FakeApi.StartAsync();
        using var folder = new TemporaryFolder();
        await using (var writer = new StreamWriter(folder["bad.jsonl"]))
        {
            await writer.WriteLineAsync("{");
        }

        api.Services.Datasets.Failures.Add(new DomainException(
            ErrorReason.DataInvalid, "bad.jsonl, position 1: not JSON.", ("file", "bad.jsonl"), ("position", "1"), ("problem", "the object does not end")));
        var run = await CliRun.Async(api, "dataset", "import", folder["bad.jsonl"]);
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Contains("bad.jsonl, record 1: the object does not end. Correct it, or allow some with --max-rejected.", Line(run), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_model_points_to_the_list()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "chat", "--model", "absent");
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Equal("instructtune: There is no models/absent/versions/latest. See 'instructtune model list'.", Line(run));
    }

    [Fact]
    public async Task A_folder_that_is_no_model_is_refused_before_the_upload()
    {
        await using var api = await FakeApi.StartAsync();
        using var folder = new TemporaryFolder();
        var run = await CliRun.Async(api, "model", "import", folder.Path);
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Equal(
            $"instructtune: {folder.Path} is no model folder: it holds neither config.json (Hugging Face) nor adapter_config.json (PEFT).", Line(run));
    }

    [Fact]
    public async Task A_wrong_key_says_where_the_right_one_is()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.Datasets.Failures.Add(new DomainException(ErrorReason.ApiKeyInvalid, "The API key is wrong."));
        var run = await CliRun.Async(api, "dataset", "show", "lima");
        Assert.Contains("--api-key or INSTRUCTTUNE_API_KEY (endpoint.json", Line(run), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_violation_of_a_request_is_told()
    {
        await using var api = await FakeApi.StartAsync();
        var violations = new FieldViolations().Check(false, "spec.stages[0].epochs", "must be positive").Check(false, "spec.seed", "is missing");
        api.Services.FineTunes.CreateFailures.Add(Assert.Throws<DomainException>(violations.ThrowIfAny));
        var run = await CliRun.Async(api, "finetune", "create", "--base", "tiny", "--specialist", "lima");
        Assert.Equal(
            "instructtune: The server refuses the request: spec.stages[0].epochs: must be positive; spec.seed: is missing.", Line(run));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        await using var api = await FakeApi.StartAsync();
        var port = new Uri(api.Address).Port;
        var run = await CliRun.Async(null, new Interrupts(), "", "up", "--port", $"{port}");
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Equal(
            $"instructtune: Port {port} is in use: stop what listens there, or choose another with --port (0 takes any free one).", Line(run));
    }

    private static string Line(CliRun run) => Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)).Trim();
}
