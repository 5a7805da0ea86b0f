namespace InstructTune.Modeling.Tokenization;

/// <summary>The two families of byte-pair tokenizers.</summary>
public enum TokenizerStyle
{
    /// <summary>Bytes written in GPT-2's alphabet, merged in a given order.</summary>
    ByteLevel,

    /// <summary>Characters with bytes to fall back to, merged by score.</summary>
    SentencePiece,
}

/// <summary>How a byte-level tokenizer cuts text into words.</summary>
public enum WordSplit
{
    /// <summary>GPT-2.</summary>
    Gpt2,

    /// <summary>Llama 3 and cl100k: up to three digits together.</summary>
    Llama3,

    /// <summary>Qwen2: NFC, then as Llama 3 with single digits.</summary>
    Qwen2,

    /// <summary>SmolLM2: single digits, then as GPT-2.</summary>
    SmolLm2,
}

/// <summary>What a token is, numbered as in SentencePiece and GGUF.</summary>
public enum TokenKind
{
    /// <summary>Text.</summary>
    Normal = 1,

    /// <summary>Stands for what the vocabulary cannot write.</summary>
    Unknown = 2,

    /// <summary>Adds no text.</summary>
    Control = 3,

    /// <summary>Text that is found before anything is merged.</summary>
    UserDefined = 4,

    /// <summary>Not in use.</summary>
    Unused = 5,

    /// <summary>A single byte, spelled like &lt;0x0A&gt;.</summary>
    Byte = 6,
}

/// <summary>A tokenizer in memory, such as the metadata of a GGUF file holds. <see cref="Tokenizer.Create"/> makes it work.</summary>
public sealed record TokenizerDefinition
{
    /// <summary>The file that refusals name.</summary>
    public string File { get; init; } = "the vocabulary";

    /// <summary>The family.</summary>
    public required TokenizerStyle Style { get; init; }

    /// <summary>Spellings by id: in GPT-2's alphabet, or with U+2581 for spaces.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>By id; empty where every token is normal.</summary>
    public IReadOnlyList<TokenKind> Kinds { get; init; } = [];

    /// <summary>Byte-level: two tokens with a space between them, first merges first.</summary>
    public IReadOnlyList<string> Merges { get; init; } = [];

    /// <summary>SentencePiece: by id; what has the highest score is merged first.</summary>
    public IReadOnlyList<float> Scores { get; init; } = [];

    /// <summary>Byte-level: how text is cut into words.</summary>
    public WordSplit Split { get; init; }

    /// <summary>Byte-level: whether a word that is a token as a whole is not merged together, as in Llama 3.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>SentencePiece: whether every text gets a space in front.</summary>
    public bool AddsSpacePrefix { get; init; } = true;

    /// <summary>SentencePiece: whether spaces at the ends and all but one of a run are dropped.</summary>
    public bool RemovesExtraSpaces { get; init; }

    /// <summary>The token that texts begin with.</summary>
    public int? BeginOfTextId { get; init; }

    /// <summary>The token that ends a text.</summary>
    public int? EndOfTextId { get; init; }

    /// <summary>The padding token.</summary>
    public int? PaddingId { get; init; }

    /// <summary>Whether encoding with special tokens puts the first in front; absent means for SentencePiece only.</summary>
    public bool? AddsBeginOfText { get; init; }

    /// <summary>Whether encoding with special tokens puts the last behind.</summary>
    public bool AddsEndOfText { get; init; }

    /// <summary>The chat template.</summary>
    public string? ChatTemplate { get; init; }
}
