using System.Buffers.Binary;
using System.Text;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>
/// Reads a header piece by piece. Every length is compared with what is left of the file before anything is allocated for it.
/// </summary>
internal sealed class GgufCursor(string file, Stream stream, long sizeBytes)
{
    private static readonly UTF8Encoding s_utf8 = new(false, throwOnInvalidBytes: true);

    private readonly byte[] _word = new byte[8];
    private byte[] _text = new byte[256];

    public long Position { get; private set; }

    public long Left => sizeBytes - Position;

    /// <summary>What is being read, for messages.</summary>
    public string Place { get; set; } = "";

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Word(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Word(8));

    public byte[] Bytes(long count)
    {
        if (count > Left)
        {
            throw Fault($"the file ends inside it: {count} bytes are missing {Left} of them");
        }

        var result = new byte[count];
        Fill(result);
        return result;
    }

    public string Text(int limit)
    {
        var length = UInt64();
        if (length > (ulong)Left)
        {
            throw Fault($"string length {length} is over the {Left} bytes that are left of the file");
        }

        if (length > (ulong)limit)
        {
            throw Fault($"string length {length} is over the limit of {limit}");
        }

        if ((int)length > _text.Length)
        {
            _text = new byte[Math.Max((int)length, (int)Math.Min(2L * _text.Length, Math.Max(Left, 256)))];
        }

        var bytes = _text.AsSpan(0, (int)length);
        Fill(bytes);
        try
        {
            return s_utf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new ModelFormatException(file, Place, "is not valid UTF-8", e);
        }
    }

    public ModelFormatException Fault(string problem) => new(file, Place, problem);

    private ReadOnlySpan<byte> Word(int size)
    {
        if (size > Left)
        {
            throw Fault("the file ends inside it");
        }

        Fill(_word.AsSpan(0, size));
        return _word;
    }

    private void Fill(Span<byte> target)
    {
        try
        {
            stream.ReadExactly(target);
        }
        catch (EndOfStreamException e)
        {
            throw new ModelFormatException(file, Place, "the file became shorter while it was read", e);
        }

        Position += target.Length;
    }
}
