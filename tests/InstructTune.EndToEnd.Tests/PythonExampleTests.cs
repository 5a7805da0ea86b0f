using InstructTune.Testing;

namespace InstructTune.EndToEnd.Tests;

public sealed class PythonExampleTests(RunningServer server)
{
    // Not the first python3 of the PATH, which may be a private one without the system's packages.
    private const string Python = "/usr/bin/python3";
    private static readonly string Example = Path.Combine(RepositoryRoot.Path, "examples", "python");

    [Fact]
    public async Task A_client_in_another_language_tunes_and_generates_through_the_gateway()
    {
        await RequireAsync();
        var stubs = Path.Combine(server.Scratch, "stubs");
        var generated = await CommandLineProgram.RunAsync("/bin/bash", [Path.Combine(Example, "generate_stubs.sh"), stubs]);
        Assert.True(generated.ExitCode == 0, generated.All);

        var result = await CommandLineProgram.RunAsync(
            Python,
            [
                Path.Combine(Example, "two_stage.py"), "--base", RunningServer.Base, "--generalist", RunningServer.Generalist,
                "--specialist", RunningServer.Specialist, "--instruction", "repeat the word w1", "--max-steps", "2",
            ],
            [.. server.Environment, "INSTRUCTTUNE_PYTHON_STUBS=" + stubs, "INSTRUCTTUNE_SERVER="]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("state JOB_STATE_SUCCEEDED", result.Out, StringComparison.Ordinal);
        Assert.Contains("generalist step 2/4 loss", result.Out, StringComparison.Ordinal);
        Assert.Contains("model models/", result.Out, StringComparison.Ordinal);
    }

    private static async Task RequireAsync()
    {
        if (!File.Exists(Python))
        {
            Assert.Skip($"{Python} is not installed.");
        }

        var grpc = await CommandLineProgram.RunAsync(Python, ["-c", "import grpc, google.protobuf"]);
        Assert.SkipUnless(grpc.ExitCode == 0, "python3-grpcio is not installed.");
        var protoc = await CommandLineProgram.RunAsync("/bin/bash", ["-c", "command -v protoc grpc_python_plugin"]);
        Assert.SkipUnless(protoc.ExitCode == 0, "protoc or grpc_python_plugin is not installed.");
    }
}
