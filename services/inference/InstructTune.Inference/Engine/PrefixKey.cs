using System.Buffers.Binary;

namespace InstructTune.Inference.Engine;

/// <summary>SHA-256 of a block of tokens, everything before it, and everything its keys and values depend on.</summary>
internal readonly record struct PrefixKey(ulong A, ulong B, ulong C, ulong D)
{
    public const int SizeBytes = 32;

    public static PrefixKey Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64BigEndian(bytes),
        BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
        BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, A);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], B);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], C);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[24..], D);
    }
}
