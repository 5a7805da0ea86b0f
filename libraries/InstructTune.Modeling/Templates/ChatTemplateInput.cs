using System.Text.Json;

namespace InstructTune.Modeling.Templates;

/// <summary>What `apply_chat_template` of transformers takes.</summary>
public sealed record ChatTemplateInput
{
    /// <summary>The conversation: an array of objects with `role` and `content`.</summary>
    public required JsonElement Messages { get; init; }

    /// <summary>Descriptions of functions; none when absent.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Texts to answer from; none when absent.</summary>
    public JsonElement? Documents { get; init; }

    /// <summary>Whether the text ends where the next answer begins.</summary>
    public bool AddGenerationPrompt { get; init; }

    /// <summary>Whether the text ends inside the last message, for the model to go on.</summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary>Special tokens by name, such as `bos_token`, and whatever else the template asks for.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
}
