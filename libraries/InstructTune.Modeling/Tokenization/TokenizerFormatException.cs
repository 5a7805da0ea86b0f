namespace InstructTune.Modeling.Tokenization;

/// <summary>A tokenizer file that cannot be used as it stands: names the file, the item in it and what is wrong.</summary>
public sealed class TokenizerFormatException : Exception
{
    /// <summary>Describes the problem in one line.</summary>
    public TokenizerFormatException(string file, string item, string problem)
        : base($"{file}: {item}: {problem}")
    {
        File = file;
        Item = item;
        Problem = problem;
    }

    /// <summary>The file, by its plain name.</summary>
    public string File { get; }

    /// <summary>The key, token or merge that is wrong.</summary>
    public string Item { get; }

    /// <summary>What is wrong with it, and what would be right.</summary>
    public string Problem { get; }
}
