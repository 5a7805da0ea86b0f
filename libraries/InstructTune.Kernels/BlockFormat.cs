namespace InstructTune.Kernels;

/// <summary>A row of weights as a file stores it, block after block.</summary>
public delegate ReadOnlySpan<byte> StoredRowReader(int output);

/// <summary>Blocks of 32 weights in GGUF files that are multiplied as they are: repacked, every code and scale kept.</summary>
public enum BlockFormat
{
    /// <summary>A scale and 32 codes of eight bits.</summary>
    Q80,

    /// <summary>A scale and 32 codes of four bits, less eight.</summary>
    Q40,

    /// <summary>A scale, a minimum and 32 codes of four bits.</summary>
    Q41,
}

/// <summary>Their sizes.</summary>
public static class BlockFormats
{
    internal const int Q80Bytes = 34;
    internal const int Q40Bytes = 18;
    internal const int Q41Bytes = 20;

    /// <summary>Bytes of each weight in memory, which are those in the file.</summary>
    public static double BytesPerWeight(this BlockFormat format) => format switch
    {
        BlockFormat.Q80 => Q80Bytes / 32.0,
        BlockFormat.Q40 => Q40Bytes / 32.0,
        BlockFormat.Q41 => Q41Bytes / 32.0,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "no such format"),
    };
}
