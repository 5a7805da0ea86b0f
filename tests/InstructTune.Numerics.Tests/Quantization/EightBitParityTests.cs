using InstructTune.Modeling.Quantization;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Quantization;

/// <summary>Eight-bit blocks and rows against bitsandbytes, for every case of the fixtures.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class EightBitParityTests
{
    [Fact]
    public void Blockwise_codes_scales_and_values_follow_the_exact_rule()
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsReader.Open(Path.Combine(Fixtures.Folder("nf4"), "blockwise8.safetensors"));
        var names = file.Entries.Where(e => e.Name.EndsWith(".input", StringComparison.Ordinal)).Select(e => e.Name[..^".input".Length]).ToArray();
        Assert.NotEmpty(names);
        foreach (var name in names)
        {
            var map = name.StartsWith("signed", StringComparison.Ordinal) ? DynamicMap.Signed : DynamicMap.Unsigned;
            var values = file.Read(name + ".input").data<float>().ToArray();
            var codes = new byte[values.Length];
            var absmax = new float[FourBitBlocks.BlockCount(values.Length, EightBitBlocks.BlockSize)];
            EightBitBlocks.Quantize(values, new LevelSearch(map), codes, absmax);
            Parity.Equal("8-bit codes", name, tensor(codes), file.Read(name + ".codes_exact"));
            Parity.Equal("8-bit scales", name, tensor(absmax), file.Read(name + ".absmax_exact"));

            // The values of the fixture are those of the codes that bitsandbytes' CPU code chose.
            EightBitBlocks.Dequantize(file.Read(name + ".codes").data<byte>().ToArray(), file.Read(name + ".absmax").data<float>().ToArray(), map, values);
            Parity.Equal("8-bit values", name, tensor(values), file.Read(name + ".dequantised"));
        }
    }

    [Fact]
    public void Int8_rows_of_weights_are_those_of_bitsandbytes()
    {
        using var scope = NewDisposeScope();
        using var file = Open();
        var rows = Int8Rows.Quantize(file.Read("weight").data<float>().ToArray(), (int)file.Read("weight").size(1));
        Parity.Equal("int8 rows", "weight codes", tensor(rows.Codes), file.Read("weight_codes").view(-1));
        Parity.Equal("int8 rows", "weight scales", tensor(rows.Absmax), file.Read("weight_absmax"));
        Parity.Within("int8 rows", "weight values", tensor(rows.Dequantize()), file.Read("weight_dequantised").view(-1), 1e-7);
        var ties = Int8Rows.Quantize(file.Read("ties").data<float>().ToArray(), (int)file.Read("ties").size(1));
        Parity.Equal("int8 rows", "ties codes", tensor(ties.Codes), file.Read("ties_codes").view(-1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    public void Int8_products_are_those_of_bitsandbytes(int threshold)
    {
        using var scope = NewDisposeScope();
        using var file = Open();
        var name = $"act_threshold_{threshold}";
        var weight = Int8Rows.Quantize(file.Read("weight").data<float>().ToArray(), (int)file.Read("weight").size(1));
        var x = file.Read(name + ".x_fp16").to_type(ScalarType.Float32);
        var values = x.data<float>().ToArray();
        var rows = Int8Rows.Quantize(values, (int)x.size(1), threshold);
        Parity.Equal("int8 rows", name + " codes", tensor(rows.Codes), file.Read(name + ".codes").view(-1));
        Parity.Equal("int8 rows", name + " scales", tensor(rows.Absmax), file.Read(name + ".absmax"));
        Parity.Equal("int8 rows", name + " sums", tensor(rows.Multiply(weight)), file.Read(name + ".int32").view(-1));
        if (threshold > 0)
        {
            Assert.Equal(file.Read(name + ".outlier_columns").data<long>().Select(c => (int)c), rows.OutlierColumns);
        }

        // The fixture rounds to float16, and adds outliers in it.
        Parity.WithinShare("int8 products", name, tensor(rows.Product(weight, values)), file.Read(name + ".y_fp16").view(-1), 1e-3);
    }

    private static SafetensorsReader Open() => SafetensorsReader.Open(Path.Combine(Fixtures.Folder("nf4"), "int8.safetensors"));
}
