using System.Text.Json;
using InstructTune.Testing;

namespace InstructTune.EndToEnd.Tests;

/// <summary>Models of llama.cpp through the command line, in and out.</summary>
public sealed class GgufTests(RunningServer server)
{
    [Fact]
    public async Task A_GGUF_file_is_imported_and_continues_texts_as_the_reference_does()
    {
        var folder = FixtureFolder.RequireBeside("models/smollm2-135m-instruct");
        var imported = await server.RunAsync("model", "import", Path.Combine(folder, "SmolLM2-135M-Instruct.Q4_1.gguf"), "--name", "smol", "--json");
        Assert.True(imported.ExitCode == 0, imported.All);
        Assert.Equal("134515008", JsonDocument.Parse(imported.Out).RootElement.GetProperty("parameter_count").GetString());
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected.json")));
        foreach (var example in expected.RootElement.GetProperty("cases").EnumerateArray())
        {
            // Only texts that spell out no control token: those are typed by nobody.
            var prompt = example.GetProperty("prompt").GetString()!;
            if (prompt.Contains("<|", StringComparison.Ordinal))
            {
                continue;
            }

            var answer = await server.RunAsync("generate", prompt, "--raw", "--model", "smol", "--temperature", "0", "--max-tokens", "48", "--json");
            Assert.True(answer.ExitCode == 0, answer.All);
            var candidate = JsonDocument.Parse(answer.Out).RootElement.GetProperty("candidates")[0];
            int[] ids = [.. candidate.GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32())];
            int[] reference = [.. example.GetProperty("greedy_ids").EnumerateArray().Select(id => id.GetInt32())];
            var end = example.GetProperty("first_eos_at") is { ValueKind: JsonValueKind.Number } at ? at.GetInt32() : reference.Length;
            Assert.InRange(ids.Length, end, Math.Min(end + 1, reference.Length));
            Assert.Equal(reference[..ids.Length], ids);
            Assert.StartsWith(candidate.GetProperty("text").GetString()!, example.GetProperty("greedy_text").GetString()!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_model_goes_out_as_a_file_for_llama_cpp_and_comes_back_the_same()
    {
        var path = Path.Combine(server.Scratch, "world.gguf");
        var exported = await server.RunAsync("model", "export", RunningServer.Base, "--format", "gguf-f32", path);
        Assert.True(exported.ExitCode == 0, exported.All);
        Assert.Equal(path, exported.Out.Trim());
        var refused = await server.RunAsync("model", "export", RunningServer.Base, "--format", "gguf-f16", path);
        Assert.NotEqual(0, refused.ExitCode);
        var imported = await server.RunAsync("model", "import", path, "--name", "world-again");
        Assert.True(imported.ExitCode == 0, imported.All);
        var texts = new List<string>();
        foreach (var model in (string[])[RunningServer.Base, "world-again"])
        {
            var answer = await server.RunAsync("generate", "repeat the word w7", "--model", model, "--temperature", "0", "--max-tokens", "24");
            Assert.True(answer.ExitCode == 0, answer.All);
            texts.Add(answer.Out);
        }

        Assert.Equal(texts[0], texts[1]);
        var folder = Path.Combine(server.Scratch, "world-folder");
        Assert.Equal(0, (await server.RunAsync("model", "export", RunningServer.Base, "--format", "safetensors", folder)).ExitCode);
        Assert.Equal(File.ReadAllBytes(Path.Combine(RunningServer.BaseFolder, "model.safetensors")), File.ReadAllBytes(Path.Combine(folder, "model.safetensors")));
    }
}
