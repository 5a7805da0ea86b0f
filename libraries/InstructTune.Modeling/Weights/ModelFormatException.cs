namespace InstructTune.Modeling.Weights;

/// <summary>A file of a model or an adapter is not what it must be. The message names the file, the item in it and the problem.</summary>
public sealed class ModelFormatException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="file">File name as the user knows it.</param>
    /// <param name="item">The key or tensor at fault; empty when the whole file is.</param>
    /// <param name="problem">What is wrong and what to do.</param>
    /// <param name="innerException">The cause, when another exception told of it.</param>
    public ModelFormatException(string file, string item, string problem, Exception? innerException = null)
        : base(item.Length == 0 ? $"{file}: {problem}" : $"{file}: {item}: {problem}", innerException)
    {
        File = file;
        Item = item;
        Problem = problem;
    }

    /// <summary>The file name.</summary>
    public string File { get; }

    /// <summary>The key or tensor at fault; empty when the whole file is.</summary>
    public string Item { get; }

    /// <summary>What is wrong.</summary>
    public string Problem { get; }
}
