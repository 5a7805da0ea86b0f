using System.Security.Cryptography;
using System.Text.Json;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>How instructions and conversations become text. A format is data: its digest is stored with every model that was trained with it.</summary>
public abstract record PromptFormat
{
    /// <summary>The name of the format that a model's own chat template makes.</summary>
    public const string ModelName = "model";

    private static readonly Dictionary<string, PromptFormat> Known = new PromptFormat[] { AlpacaFormat.Create(), AlpacaFormat.CreateLlamaFactory(), AlpacaFormat.CreatePlain() }
        .Concat(ChatFormats.All)
        .ToDictionary(format => format.Name, StringComparer.Ordinal);

    /// <summary>Such as `alpaca`.</summary>
    public required string Name { get; init; }

    /// <summary>Whether prompt and response are tokenized apart, as serving does it.</summary>
    public PromptBoundary Boundary { get; init; }

    /// <summary>Lower-case hex SHA-256 of the definition.</summary>
    public string Sha256 => Convert.ToHexStringLower(SHA256.HashData(Definition()));

    /// <summary>The names that can be asked for.</summary>
    public static IReadOnlyCollection<string> Names { get; } = [.. Known.Keys, ModelName];

    /// <summary>A format by name.</summary>
    /// <exception cref="ArgumentException">There is no such format, or it belongs to a model.</exception>
    public static PromptFormat Get(string name) =>
        Known.GetValueOrDefault(name) ?? throw new ArgumentException($"There is no prompt format `{name}`; known are: {string.Join(", ", Known.Keys)}.", nameof(name));

    /// <summary>Whether a format of this name can be asked for.</summary>
    public static bool Exists(string name) => name == ModelName || Known.ContainsKey(name);

    /// <summary>A format for the tokenizer that it will be used with.</summary>
    /// <exception cref="PromptFormatException">There is no such format, or it does not go with this tokenizer.</exception>
    public static PromptFormat For(string name, Tokenizer tokenizer, PromptBoundary boundary = PromptBoundary.Split)
    {
        var format = name == ModelName ? ChatFormat.OfModel(tokenizer) : Known.GetValueOrDefault(name);
        return format is null
            ? throw new PromptFormatException(name, $"does not exist; there are {string.Join(", ", Names)}")
            : (format with { Boundary = boundary }).Fitting(tokenizer);
    }

    /// <summary>The format of a trained model, by name and digest.</summary>
    /// <param name="name">As stored with the model.</param>
    /// <param name="sha256">As stored with the model; empty where nothing was stored.</param>
    /// <param name="tokenizer">Of the model.</param>
    /// <exception cref="PromptFormatException">The definition here has another digest than the model was trained with.</exception>
    public static PromptFormat Stored(string name, string sha256, Tokenizer tokenizer)
    {
        var format = For(name, tokenizer);
        if (sha256.Length == 0 || format.Sha256 == sha256)
        {
            return format;
        }

        var joint = format with { Boundary = PromptBoundary.Joint };
        return joint.Sha256 == sha256
            ? joint
            : throw new PromptFormatException(name, $"has the digest {format.Sha256} here, but the model was made with {sha256}: it would be prompted in another way than it was trained");
    }

    /// <summary>What an encoder does with this format and a tokenizer.</summary>
    internal abstract IPromptLayout With(Tokenizer tokenizer);

    /// <summary>This format, or an exception that says what the tokenizer lacks.</summary>
    private protected virtual PromptFormat Fitting(Tokenizer tokenizer) => this;

    private protected abstract object DefinitionObject();

    private protected string BoundaryName => Boundary == PromptBoundary.Joint ? "joint" : "split";

    // Canonical: one JSON object, these keys in this order, no spaces.
    private byte[] Definition() => JsonSerializer.SerializeToUtf8Bytes(DefinitionObject());
}

/// <summary>A prompt format that does not exist, or does not go with a model.</summary>
public sealed class PromptFormatException : Exception
{
    /// <summary>Names the format and the problem.</summary>
    public PromptFormatException(string format, string problem)
        : base($"The prompt format `{format}` {problem}.")
    {
        Format = format;
        Problem = problem;
    }

    /// <summary>The name of the format.</summary>
    public string Format { get; }

    /// <summary>What is wrong with it.</summary>
    public string Problem { get; }
}
