using System.Buffers.Binary;
using System.Numerics;

namespace InstructTune.Trainer.Reports;

/// <summary>
/// Records of TensorBoard's event files: TFRecord frames around <c>Event</c> messages (wall_time 1, step 2, file_version 3, summary 5; in a summary's value
/// tag 1, simple_value 2, tensor 8, metadata 9).
/// </summary>
internal static class EventRecord
{
    private const uint MaskDelta = 0xA282EAD8;
    private const int StringType = 7;

    /// <summary>The name that TensorBoard looks for.</summary>
    public static string FileName(double unixSeconds, string host, int number) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"events.out.tfevents.{(long)unixSeconds}.{host}.{number}.0");

    /// <summary>The record that every file begins with.</summary>
    public static byte[] Version(double unixSeconds) => Framed(new ProtobufWriter().Double(1, unixSeconds).Text(3, "brain.Event:2"));

    /// <summary>One value; in single precision, as TensorBoard keeps it.</summary>
    public static byte[] Scalar(double unixSeconds, long step, string tag, double value) =>
        Summary(unixSeconds, step, new ProtobufWriter().Text(1, tag).Float(2, (float)value));

    /// <summary>A text for the tab of that name.</summary>
    public static byte[] Text(double unixSeconds, string tag, string text)
    {
        var shape = new ProtobufWriter().Message(2, new ProtobufWriter().Integer(1, 1));
        var tensor = new ProtobufWriter().Integer(1, StringType).Message(2, shape).Text(8, text);
        var metadata = new ProtobufWriter().Message(1, new ProtobufWriter().Text(1, "text"));
        return Summary(unixSeconds, 0, new ProtobufWriter().Text(1, tag).Message(8, tensor).Message(9, metadata));
    }

    /// <summary>The values of a row, one record each, under the tags that Hugging Face's trainer gives them.</summary>
    public static IEnumerable<byte[]> Of(LoggedRow row) => row.Values.Select(value => Scalar(row.UnixSeconds, row.Step, TagOf(value.Key), value.Value));

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

    private static string TagOf(string name) =>
        name.StartsWith("eval_", StringComparison.Ordinal) ? "eval/" + name["eval_".Length..] : "train/" + name;

    // Step 0 is the default and is not written.
    private static byte[] Summary(double unixSeconds, long step, ProtobufWriter value)
    {
        var record = new ProtobufWriter().Double(1, unixSeconds);
        return Framed((step == 0 ? record : record.Integer(2, step)).Message(5, new ProtobufWriter().Message(1, value)));
    }

    private static byte[] Framed(ProtobufWriter message)
    {
        var data = message.ToArray();
        var record = new byte[sizeof(ulong) + sizeof(uint) + data.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(sizeof(ulong)), MaskedCrc(record.AsSpan(0, sizeof(ulong))));
        data.CopyTo(record.AsSpan(sizeof(ulong) + sizeof(uint)));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - sizeof(uint)), MaskedCrc(data));
        return record;
    }
}
