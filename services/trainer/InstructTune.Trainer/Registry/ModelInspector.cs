using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;

namespace InstructTune.Trainer.Registry;

/// <summary>Checks a model folder by loading all of it, as training and serving will.</summary>
internal static class ModelInspector
{
    public const string AdapterConfig = "adapter_config.json";

    public static bool IsAdapter(string folder) => File.Exists(Path.Combine(folder, AdapterConfig));

    /// <exception cref="ModelFormatException">A file, key or tensor is missing, extra or malformed, or the tokenizer is not supported.</exception>
    public static InspectedModel InspectFull(string folder)
    {
        using var model = ModelFolder.Load(folder);
        CheckTokenizer(Tokenizer.Load(folder));
        var config = model.Config;
        return new InspectedModel(
            ModelKind.FullWeights,
            model.Parameters.Sum(parameter => parameter.Value.numel()),
            config.ContextTokens,
            $"{config.Family}ForCausalLM",
            Adapter: null);
    }

    // Training appends it and serving waits for it.
    private static void CheckTokenizer(Tokenizer tokenizer)
    {
        if (tokenizer.EndOfTextIds.Count == 0)
        {
            throw new ModelFormatException("tokenizer_config.json", "eos_token", "is missing, and no other file names an end-of-text token");
        }
    }
}
