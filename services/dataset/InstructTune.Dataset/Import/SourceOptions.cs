namespace InstructTune.Dataset.Import;

/// <summary>The layout of a source file.</summary>
internal enum SourceFormat
{
    Detect,
    AlpacaJson,
    JsonLines,
    ShareGpt,
    OpenAiMessages,
    NaturalInstructions,
    PlainText,
}

/// <summary>How to read a source.</summary>
internal sealed record SourceOptions
{
    public SourceFormat Format { get; init; }

    /// <summary>Field of the example to key of the source; fields not listed keep their own name.</summary>
    public IReadOnlyDictionary<string, string> Columns { get; init; } = new Dictionary<string, string>();

    /// <summary>Written to every example that has no task of its own.</summary>
    public string Task { get; init; } = "";

    public long MaxRejected { get; init; }

    /// <summary>0 means all.</summary>
    public long MaxExamplesPerTask { get; init; }
}

/// <summary>A file to import: the name its owner gave it, and where its bytes lie.</summary>
internal sealed record SourceFile(string Name, string Path);
