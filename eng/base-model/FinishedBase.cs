using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using static TorchSharp.torch;

namespace InstructTune.BaseModel;

/// <summary>Stores a trained base as the repository keeps it: bfloat16, with a README that says how it came to be.</summary>
internal static class FinishedBase
{
    private static readonly string[] CopiedFiles = ["tokenizer.json", "tokenizer_config.json"];

    public static void Write(string trainedFolder, string folder, TrainingFacts facts)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in CopiedFiles)
        {
            AtomicFile.Write(Path.Combine(folder, file), File.ReadAllBytes(Path.Combine(trainedFolder, file)));
        }

        using var model = ModelFolder.Load(trainedFolder);
        var weights = Path.Combine(folder, "model.safetensors");
        SafetensorsWriter.Write(weights, model.Parameters, ScalarType.BFloat16);
        AtomicFile.Write(Path.Combine(folder, "config.json"), (model.Config with { StorageType = "bfloat16" }).ToJson());
        var readme = Readme(model.ParameterCount, SHA256.HashData(File.ReadAllBytes(weights)), facts);
        AtomicFile.Write(Path.Combine(folder, "README.md"), Encoding.UTF8.GetBytes(readme));
    }

    private static string Readme(long parameterCount, byte[] sha256, TrainingFacts facts) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        # world-base

        A LLaMA-shaped base model of {parameterCount:n0} parameters that this project made itself, for demonstrations and tests: made by
        `eng/make-base.sh` with the trainer service, from random weights, on {BaseRecipe.DocumentCount:n0} documents of plain text about the synthetic
        world (`libraries/InstructTune.SyntheticWorld`). It knows the words and their kinds, little of the other facts, and has read no instruction.

        | | |
        | --- | --- |
        | recipe | `eng/base-model/recipe.yaml` (training), `eng/base-model/BaseRecipe.cs` (texts, vocabulary, shape) |
        | seed | {BaseRecipe.Seed} |
        | vocabulary | byte-level BPE of {BaseRecipe.VocabularySize:n0} tokens, trained on the same world |
        | context | {BaseRecipe.ContextTokens} tokens |
        | stored as | bfloat16 |
        | training loss at the end | {facts.Loss} nats per token |
        | training time | {facts.Seconds} s with {facts.Threads} torch thread(s), while the machine did other work |
        | SHA-256 of model.safetensors | `{Convert.ToHexStringLower(sha256)}` |

        Licence: that of the project. No data of others went into it.

        """);
}

/// <summary>What the job said, as text.</summary>
internal sealed record TrainingFacts(string Loss, string Seconds, string Threads);
