using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;

namespace InstructTune.Cli.Tracking;

/// <summary>
/// TensorBoard event files: TFRecord frames around <c>Event</c> messages, of which only the fields written here are known (wall_time 1, step 2,
/// file_version 3, summary 5; in a summary value tag 1, simple_value 2).
/// </summary>
internal static class TensorBoardFile
{
    // Number << 3 | wire type, as in the protobuf encoding.
    private const uint WallTime = (1 << 3) | 1;
    private const uint Step = 2 << 3;
    private const uint FileVersion = (3 << 3) | 2;
    private const uint Summary = (5 << 3) | 2;
    private const uint SummaryValue = (1 << 3) | 2;
    private const uint Tag = (1 << 3) | 2;
    private const uint SimpleValue = (2 << 3) | 5;
    private const uint MaskDelta = 0xA282EAD8;

    /// <summary>The name TensorBoard looks for.</summary>
    public static string FileName(DateTimeOffset started, string job) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"events.out.tfevents.{started.ToUnixTimeSeconds()}.{job}.0.0");

    /// <summary>The record every file begins with.</summary>
    public static byte[] Version(double wallTimeSeconds) => Framed(output =>
    {
        output.WriteTag(WallTime);
        output.WriteDouble(wallTimeSeconds);
        output.WriteTag(FileVersion);
        output.WriteString("brain.Event:2");
    });

    /// <summary>One scalar; in single precision, as TensorBoard keeps it.</summary>
    public static byte[] Scalar(double wallTimeSeconds, long step, string tag, double value) => Framed(output =>
    {
        output.WriteTag(WallTime);
        output.WriteDouble(wallTimeSeconds);
        output.WriteTag(Step);
        output.WriteInt64(step);
        var content = Message(inner =>
        {
            inner.WriteTag(Tag);
            inner.WriteString(tag);
            inner.WriteTag(SimpleValue);
            inner.WriteFloat((float)value);
        });
        output.WriteTag(Summary);
        output.WriteBytes(ByteString.CopyFrom(Message(inner =>
        {
            inner.WriteTag(SummaryValue);
            inner.WriteBytes(ByteString.CopyFrom(content));
        })));
    });

    /// <summary>CRC32C, rotated and shifted, as TFRecord stores it.</summary>
    public static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return unchecked(BitOperations.RotateRight(~crc, 15) + MaskDelta);
    }

    private static byte[] Framed(Action<CodedOutputStream> write)
    {
        var data = Message(write);
        var record = new byte[sizeof(ulong) + sizeof(uint) + data.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(sizeof(ulong)), MaskedCrc(record.AsSpan(0, sizeof(ulong))));
        data.CopyTo(record.AsSpan(sizeof(ulong) + sizeof(uint)));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - sizeof(uint)), MaskedCrc(data));
        return record;
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var memory = new MemoryStream();
        using (var output = new CodedOutputStream(memory, leaveOpen: true))
        {
            write(output);
        }

        return memory.ToArray();
    }
}
