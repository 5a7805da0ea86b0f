using System.Collections.Concurrent;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Models;

/// <summary>Reads the adapter in a folder; <paramref name="warn"/> is told about oddities that do not stop the load.</summary>
internal delegate LoadedAdapter AdapterReader(string folder, Action<string> warn);

/// <summary>What other threads may know of a loaded model. An adapter has its base's.</summary>
internal sealed record ModelContent(LlamaConfig Config, Tokenizer Tokenizer, int VocabularySize, int ContextTokens)
{
    /// <summary>How far its weights are from float32; null where they are float32, or nothing was measured.</summary>
    public ParityCertificate? Parity { get; init; }

    /// <summary>Reads the adapter in a folder into the form that this base computes with.</summary>
    public AdapterReader ReadAdapter { get; init; } = static (_, _) => throw new InvalidOperationException("This model takes no adapters.");

    private readonly ConcurrentDictionary<(string Format, string Sha256), PromptEncoder> _encoders = new();

    /// <summary>Prompts in the format that a version was made with; an adapter may have another than its base.</summary>
    /// <exception cref="InferenceFault">There is no such format here.</exception>
    public PromptEncoder EncoderOf(VersionFacts version) => _encoders.GetOrAdd((version.PromptFormat, version.PromptFormatSha256), key =>
    {
        try
        {
            return new PromptEncoder(PromptFormat.Stored(key.Format, key.Sha256, Tokenizer), Tokenizer);
        }
        catch (PromptFormatException exception)
        {
            throw new InferenceFault(
                FaultKind.PromptFormatMissing, exception.Message, ("prompt_format", exception.Format), ("problem", exception.Problem));
        }
    });
}
