using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;

namespace InstructTune.LlamaCpp.Tests;

/// <summary>The models that are exported, and prompts for them.</summary>
internal static class Bases
{
    /// <summary>The base of this repository.</summary>
    public static string World { get; } = Path.Combine(RepositoryRoot.Path, "models", "world-base");

    /// <summary>One of our own, or one beside the reference outputs, whose absence skips the test.</summary>
    public static string Folder(string name) => name == "world-base" ? World : FixtureFolder.RequireBeside("models/" + name);

    /// <summary>Fifty beginnings of texts, all different, as ids.</summary>
    public static IReadOnlyList<int[]> Prompts(Tokenizer tokenizer)
    {
        string[] beginnings = ["The", "A", "In the", "When", "She said", "Once upon a time", "There was", "repeat the word", "My", "After all"];
        string[] followers = [" dog", " river and the sea", " house on the hill", " old man who had", " children were"];
        return [.. beginnings.SelectMany(b => followers.Select(f => tokenizer.Encode(b + f, addSpecialTokens: true)))];
    }

    /// <summary>A random model with the tokenizer of our base, in a folder.</summary>
    public static LlamaModel Random(string folder, Func<LlamaConfig, LlamaConfig> change)
    {
        var config = change(ModelFolder.ReadConfig(World) with { LayerCount = 2, InitializerRange = 0.08, StorageType = "float32" });
        var model = LlamaModel.CreateRandom(config, StepSeed.Of(7, "", 0, "weights"));
        HuggingFaceFolder.Write(folder, model);
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json"])
        {
            File.Copy(Path.Combine(World, name), Path.Combine(folder, name));
        }

        return model;
    }
}
