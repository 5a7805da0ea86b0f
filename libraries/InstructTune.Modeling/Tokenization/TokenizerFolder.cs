using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>Which file of a model folder the tokenizer is read from.</summary>
internal static class TokenizerFolder
{
    public const int MaxFileBytes = 256 << 20;

    private const string ModelFile = "tokenizer.model";

    /// <summary>The parts, and the settings with what only that file knew.</summary>
    public static (TokenizerParts Parts, TokenizerSettings Settings) Read(string folder, TokenizerSettings settings)
    {
        if (File.Exists(Path.Combine(folder, TokenizerFile.Name)))
        {
            return (TokenizerFile.Read(ReadFile(folder, TokenizerFile.Name)), settings);
        }

        if (File.Exists(Path.Combine(folder, ModelFile)))
        {
            var content = ReadFile(folder, ModelFile);
            return RankFile.Looks(content) ? RankFile.Read(ModelFile, content, settings) : SentencePieceFile.Read(ModelFile, content, settings);
        }

        var ranks = Directory.EnumerateFiles(folder, "*.tiktoken").Order(StringComparer.Ordinal).FirstOrDefault();
        return ranks is null
            ? throw new ModelFormatException(TokenizerFile.Name, "the file", $"is missing, and so are {ModelFile} and *.tiktoken; other tokenizer formats are not read")
            : RankFile.Read(Path.GetFileName(ranks), ReadFile(folder, Path.GetFileName(ranks)), settings);
    }

    private static byte[] ReadFile(string folder, string name)
    {
        var file = new FileInfo(Path.Combine(folder, name));
        return file.Length <= MaxFileBytes
            ? File.ReadAllBytes(file.FullName)
            : throw new ModelFormatException(name, "the file", $"has {file.Length} bytes; at most {MaxFileBytes} are read");
    }
}
