using InstructTune.Modeling.Quantization;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Quantization;

/// <summary>Four-bit codes, scales and values against bitsandbytes, for every case of the fixtures.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class FourBitParityTests
{
    public static TheoryData<string> Cases => [.. Keys().DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Codes_scales_and_values_are_those_of_bitsandbytes(string key)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsReader.Open(Path.Combine(Fixtures.Folder("nf4"), "blocks.safetensors"));
        var (kind, blockSize, isDouble) = Parse(key);
        var input = file.Read(key + ".input");
        var values = input.to_type(ScalarType.Float32).data<float>().ToArray();
        var packed = new byte[FourBitBlocks.PackedSize(values.Length)];
        var absmax = new float[FourBitBlocks.BlockCount(values.Length, blockSize)];
        FourBitBlocks.Quantize(values, blockSize, kind, packed, absmax);
        Parity.Equal("nf4 codes", key, tensor(packed), file.Read(key + ".packed").view(-1));

        if (isDouble)
        {
            var nested = NestedScales.Of(absmax);
            Parity.Equal("nf4 nested codes", key, tensor(nested.Codes), file.Read(key + ".absmax_codes").view(-1));
            Parity.Equal("nf4 nested scales", key, tensor(nested.Absmax), file.Read(key + ".nested_absmax"));
            Parity.Equal("nf4 offset", key, tensor([nested.Offset]), file.Read(key + ".offset"));
            absmax = [.. Enumerable.Range(0, absmax.Length).Select(i => nested[i])];
            Parity.Equal("nf4 scales", key, tensor(absmax), file.Read(key + ".absmax_dequantised"));
        }
        else
        {
            Parity.Equal("nf4 scales", key, tensor(absmax), file.Read(key + ".absmax"));
        }

        FourBitBlocks.Dequantize(packed, absmax, blockSize, kind, values);
        var expected = file.Read(key + ".dequantised").view(-1);
        Parity.Equal("nf4 values", key, tensor(values).to_type(expected.dtype), expected);
    }

    [Fact]
    public void Levels_borders_and_maps_are_those_of_bitsandbytes()
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsReader.Open(Path.Combine(Fixtures.Folder("nf4"), "blocks.safetensors"));
        Parity.Equal("nf4 tables", "nf4_levels", tensor(FourBitCode.Levels(FourBitKind.Nf4).ToArray()), file.Read("nf4_levels"));
        Parity.Equal("nf4 tables", "fp4_levels", tensor(FourBitCode.Levels(FourBitKind.Fp4).ToArray()), file.Read("fp4_levels"));
        Parity.Equal("nf4 tables", "nf4_thresholds_midpoints", tensor(FourBitCode.Borders.ToArray()), file.Read("nf4_thresholds_midpoints"));
        Parity.Equal("nf4 tables", "dynamic_map_signed", tensor(DynamicMap.Signed.ToArray()), file.Read("dynamic_map_signed"));
        Parity.Equal("nf4 tables", "dynamic_map_unsigned", tensor(DynamicMap.Unsigned.ToArray()), file.Read("dynamic_map_unsigned"));
    }

    private static (FourBitKind Kind, int BlockSize, bool IsDouble) Parse(string key) => key.Split('.') switch
    {
        [var kind, var block, var form, ..] => (kind == "fp4" ? FourBitKind.Fp4 : FourBitKind.Nf4, int.Parse(block[2..], System.Globalization.CultureInfo.InvariantCulture), form == "double"),
        _ => throw new ArgumentException(key, nameof(key)),
    };

    private static IEnumerable<string> Keys() => Fixtures.Root is null || !File.Exists(Path.Combine(Fixtures.Root, "nf4", "index.json"))
        ? []
        : Fixtures.Json(Path.Combine(Fixtures.Root, "nf4", "index.json")).GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("key").GetString()!);
}
