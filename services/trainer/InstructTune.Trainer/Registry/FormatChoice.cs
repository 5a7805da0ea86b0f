using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;

namespace InstructTune.Trainer.Registry;

/// <summary>The prompt format of an uploaded version, and its digest.</summary>
internal sealed record ChosenFormat(string Name, string Sha256);

/// <summary>
/// Chooses the prompt format of an upload: the one asked for; else of an adapter its base's, of a folder with a chat template that template,
/// of any other folder `alpaca`.
/// </summary>
internal sealed class FormatChoice(IArtifactStore artifacts)
{
    /// <exception cref="ModelFormatException">The format does not go with the model's tokenizer.</exception>
    public async Task<ChosenFormat> ChooseAsync(string asked, string folder, ModelVersionRecord? baseModel, CancellationToken ct)
    {
        if (asked.Length == 0 && baseModel is not null)
        {
            return new(baseModel.PromptFormat, baseModel.PromptFormatSha256);
        }

        var tokenizer = Tokenizer.Load(baseModel is null ? folder : (await artifacts.OpenAsync(baseModel.ManifestSha256, ct)).Path);
        return asked.Length == 0 ? Default(tokenizer) : Named(asked, tokenizer);
    }

    // A template that cannot be read here is no reason to refuse a model that can be run: it can still be prompted in another way.
    private static ChosenFormat Default(Tokenizer tokenizer)
    {
        try
        {
            return Named(tokenizer.ChatTemplate is null ? "alpaca" : PromptFormat.ModelName, tokenizer);
        }
        catch (ModelFormatException)
        {
            return Named("alpaca", tokenizer);
        }
    }

    private static ChosenFormat Named(string name, Tokenizer tokenizer)
    {
        try
        {
            return new(name, PromptFormat.For(name, tokenizer).Sha256);
        }
        catch (PromptFormatException exception)
        {
            throw new ModelFormatException("tokenizer_config.json", "chat_template", exception.Message);
        }
    }
}
