using System.Globalization;
using System.Text;
using System.Text.Json;
using InstructTune.Testing;
using InstructTune.Trainer.Reports;

namespace InstructTune.Unit.Tests.Trainer.Reports;

public sealed class EventRecordTests
{
    [Fact]
    public void The_checksum_is_the_masked_one_of_TFRecord() =>
        Assert.Equal(0xC78AB0E5, EventRecord.MaskedCrc(Encoding.ASCII.GetBytes("123456789")));

    [Fact]
    public void The_first_record_names_the_version_of_the_format() => Assert.Equal(
        "1800000000000000A37F4B2209000000000000F03F1A0D627261696E2E4576656E743A3286BF577A", Convert.ToHexString(EventRecord.Version(1)));

    [Fact]
    public void Every_record_that_other_writers_wrote_has_the_same_bytes()
    {
        var compared = 0;
        foreach (var (bytes, reference) in ReferenceRecords())
        {
            if (Ours(bytes, reference) is { } ours)
            {
                Assert.Equal(Convert.ToHexStringLower(bytes), Convert.ToHexStringLower(ours));
                compared++;
            }
        }

        Assert.NotEqual(0, compared);
    }

    // The first record of those writers also names the program; values of newer tensors are not written here.
    private static byte[]? Ours(byte[] bytes, JsonElement reference)
    {
        if (reference.GetProperty("kind").GetString() != "summary")
        {
            return null;
        }

        var value = reference.GetProperty("values")[0];
        var (time, step, tag) = (reference.GetProperty("wall_time").GetDouble(), reference.GetProperty("step").GetInt64(), value.GetProperty("tag").GetString()!);
        if (value.GetProperty("which").GetString() == "simple_value")
        {
            var bits = uint.Parse(value.GetProperty("float_bits").GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return EventRecord.Scalar(time, step, tag, BitConverter.UInt32BitsToSingle(bits));
        }

        return value.GetProperty("plugin").GetString() == "text" && step == 0 ? EventRecord.Text(time, tag, TextOf(bytes, value)) : null;
    }

    // The listing has the length of the text only: it is the tensor's last field, before the ten bytes of the metadata and the checksum.
    private static string TextOf(byte[] bytes, JsonElement value)
    {
        var length = value.GetProperty("tensor").GetProperty("string_val_bytes")[0].GetInt32();
        return Encoding.UTF8.GetString(bytes, bytes.Length - sizeof(uint) - 10 - length, length);
    }

    private static IEnumerable<(byte[] Bytes, JsonElement Reference)> ReferenceRecords()
    {
        var root = FixtureFolder.Require("checkpoints");
        foreach (var listing in Directory.EnumerateFiles(root, "events.*.json", SearchOption.AllDirectories))
        {
            var file = Directory.EnumerateFiles(Path.GetDirectoryName(listing)!, "events.out.tfevents.*." + Path.GetFileName(listing).Split('.')[1]).Single();
            var content = File.ReadAllBytes(file);
            foreach (var reference in JsonDocument.Parse(File.ReadAllBytes(listing)).RootElement.EnumerateArray())
            {
                yield return (content.AsSpan(reference.GetProperty("offset").GetInt32(), reference.GetProperty("bytes").GetInt32()).ToArray(), reference);
            }
        }

        foreach (var listing in Directory.EnumerateFiles(root, "records.json", SearchOption.AllDirectories))
        {
            foreach (var record in JsonDocument.Parse(File.ReadAllBytes(listing)).RootElement.EnumerateArray())
            {
                yield return (Convert.FromHexString(record.GetProperty("record_hex").GetString()!), record.GetProperty("event"));
            }
        }
    }
}
