using System.Globalization;
using System.Text;
using System.Text.Json;
using InstructTune.Cli.Tracking;
using InstructTune.Testing;

namespace InstructTune.Unit.Tests.Cli.Tracking;

public sealed class TensorBoardFileTests
{
    [Fact]
    public void The_checksum_is_the_masked_one_of_TFRecord() =>
        Assert.Equal(0xC78AB0E5, TensorBoardFile.MaskedCrc(Encoding.ASCII.GetBytes("123456789")));

    [Fact]
    public void The_first_record_names_the_version_of_the_format() => Assert.Equal(
        "1800000000000000A37F4B2209000000000000F03F1A0D627261696E2E4576656E743A3286BF577A", Convert.ToHexString(TensorBoardFile.Version(1)));

    [Fact]
    public void Every_scalar_that_the_summary_writer_of_torch_wrote_has_the_same_bytes()
    {
        var folder = Path.Combine(FixtureFolder.Require("checkpoints"), "tensorboard_plain");
        using var records = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "records.json")));
        var compared = 0;
        foreach (var record in records.RootElement.EnumerateArray())
        {
            var expected = record.GetProperty("record_hex").GetString()!;
            var reference = record.GetProperty("event");
            if (reference.GetProperty("kind").GetString() != "summary" || reference.GetProperty("values")[0].GetProperty("which").GetString() != "simple_value")
            {
                continue;
            }

            var value = reference.GetProperty("values")[0];
            var bits = uint.Parse(value.GetProperty("float_bits").GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var ours = TensorBoardFile.Scalar(
                reference.GetProperty("wall_time").GetDouble(), reference.GetProperty("step").GetInt64(), value.GetProperty("tag").GetString()!,
                BitConverter.UInt32BitsToSingle(bits));
            Assert.Equal(expected, Convert.ToHexStringLower(ours));
            compared++;
        }

        Assert.NotEqual(0, compared);
    }
}
