namespace InstructTune.Fuzz;

/// <summary>
/// A parser under test. An input is bytes; the parser may accept it or refuse it with a declared exception, and nothing else, within a
/// second and within its bound of managed memory.
/// </summary>
internal abstract class FuzzTarget
{
    /// <summary>As on the command line, such as <c>gguf</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Sound inputs to begin from, made by code; mutations of them and of each other are what is tried.</summary>
    public abstract IReadOnlyList<byte[]> Seeds();

    /// <summary>Pieces that mean something to the parser, such as keys and numbers at a border.</summary>
    public virtual IReadOnlyList<byte[]> Words => [];

    /// <summary>Bytes of managed memory that an input of that length may cost.</summary>
    public abstract long AllocationLimitBytes(int inputSizeBytes);

    /// <summary>Parses; throws an <see cref="InvariantException"/> itself when the parser accepts what it must not.</summary>
    public abstract void Run(byte[] input);

    /// <summary>Whether the exception is the parser's declared way to refuse.</summary>
    public abstract bool IsRefusal(Exception exception);
}

/// <summary>The parser accepted an input and gave a result that breaks its promise.</summary>
internal sealed class InvariantException(string message) : Exception(message);
