namespace InstructTune.EndToEnd.Tests;

/// <summary>What a user does wrong, and the one line that says what to do. Nothing of it may show a stack trace.</summary>
public sealed class MistakeTests(RunningServer server)
{
    [Fact]
    public Task A_missing_file() => FailsAsync(1, "There is no file or folder absent.jsonl", "dataset", "import", "absent.jsonl");

    [Fact]
    public Task A_malformed_line_is_named_with_its_number()
    {
        var path = server.Write("malformed.jsonl", "{\"instruction\":\"a\",\"output\":\"b\"}\n{\"instruction\":\"a\",\"output\":\n");
        return FailsAsync(1, "malformed.jsonl, record 2", "dataset", "import", path);
    }

    [Fact]
    public Task An_unknown_model() => FailsAsync(1, "instructtune model list", "generate", "hello", "--model", "absent");

    [Fact]
    public Task An_unknown_dataset() => FailsAsync(
        1, "instructtune dataset list", "finetune", "create", "--base", RunningServer.Base, "--specialist", "absent");

    [Fact]
    public Task A_folder_that_is_no_model() => FailsAsync(1, "is no model folder", "model", "import", server.Scratch);

    [Fact]
    public Task A_model_folder_without_weights()
    {
        var folder = Path.Combine(server.Scratch, "weightless");
        Directory.CreateDirectory(folder);
        foreach (var file in (string[])["config.json", "tokenizer.json"])
        {
            File.Copy(Path.Combine(RunningServer.BaseFolder, file), Path.Combine(folder, file), overwrite: true);
        }

        return FailsAsync(1, "safetensors", "model", "import", folder);
    }

    [Fact]
    public Task A_wrong_key() => FailsAsync(1, "--api-key", "dataset", "list", "--api-key", "wrong");

    [Fact]
    public Task A_server_that_does_not_run() => FailsAsync(1, "instructtune up", "dataset", "list", "--server", "http://127.0.0.1:9");

    [Fact]
    public Task A_misspelt_option() => FailsAsync(2, "instructtune finetune create --help", "finetune", "create", "--epochz", "3");

    [Fact]
    public Task A_misspelt_key_in_a_job_file()
    {
        var path = server.Write("job.yaml", $"base_model: {RunningServer.Base}\nstages:\n- stage_id: s\n  dataset: {RunningServer.Specialist}\n  epoch: 1\n");
        return FailsAsync(2, "job.yaml:5: unknown key 'epoch' in 'stages[0]'; did you mean 'epochs'?", "finetune", "create", "-f", path);
    }

    [Fact]
    public async Task A_port_in_use()
    {
        using var client = server.Connect();
        await FailsAsync(1, $"Port {client.Options.Address.Port} is in use", "up", "--port", $"{client.Options.Address.Port}");
    }

    [Fact]
    public Task A_data_folder_in_use() => FailsAsync(1, "in use by another InstructTune process", "up", "--data-folder", server.Home);

    [Fact]
    public async Task No_Unicode_support()
    {
        var result = await CommandLineProgram.RunAsync(
            CommandLineProgram.InstructTune, ["up", "--data-folder", server.Scratch], "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("libicu", result.Error, StringComparison.Ordinal);
    }

    private async Task FailsAsync(int exitCode, string text, params string[] arguments)
    {
        var result = await server.RunAsync(arguments);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(text, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => line.StartsWith("instructtune: ", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
    }
}
