using System.Buffers.Binary;
using InstructTune.Trainer.Reports;

namespace InstructTune.Unit.Tests.Trainer.Reports;

/// <summary>Reads event files back: frames with their checksums, then tag, step and value of every scalar.</summary>
internal static class EventFileReader
{
    public static IReadOnlyList<(long Step, string Tag, float Value)> Scalars(ReadOnlySpan<byte> file)
    {
        var scalars = new List<(long, string, float)>();
        while (file.Length > 0)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
            Assert.Equal(EventRecord.MaskedCrc(file[..8]), BinaryPrimitives.ReadUInt32LittleEndian(file[8..]));
            var data = file.Slice(12, length);
            Assert.Equal(EventRecord.MaskedCrc(data), BinaryPrimitives.ReadUInt32LittleEndian(file[(12 + length)..]));
            if (Scalar(data) is { } scalar)
            {
                scalars.Add(scalar);
            }

            file = file[(16 + length)..];
        }

        return scalars;
    }

    private static (long Step, string Tag, float Value)? Scalar(ReadOnlySpan<byte> message)
    {
        var fields = Fields(message);
        if (!fields.TryGetValue(5, out var summary))
        {
            return null;
        }

        var value = Fields(Fields(summary)[1]);
        return value.TryGetValue(2, out var number)
            ? (fields.TryGetValue(2, out var step) ? BinaryPrimitives.ReadInt64LittleEndian(step) : 0, System.Text.Encoding.UTF8.GetString(value[1]), BinaryPrimitives.ReadSingleLittleEndian(number))
            : null;
    }

    // The newest of each field is enough here; integers come as eight bytes.
    private static Dictionary<int, byte[]> Fields(ReadOnlySpan<byte> message)
    {
        var fields = new Dictionary<int, byte[]>();
        while (message.Length > 0)
        {
            var tag = Varint(ref message);
            var size = (tag & 7) switch
            {
                1 => 8,
                5 => 4,
                2 => (int)Varint(ref message),
                _ => -1,
            };
            if (size < 0)
            {
                fields[(int)(tag >> 3)] = BitConverter.GetBytes(Varint(ref message));
                continue;
            }

            fields[(int)(tag >> 3)] = message[..size].ToArray();
            message = message[size..];
        }

        return fields;
    }

    private static ulong Varint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
