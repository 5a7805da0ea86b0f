using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Quantization;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Quantization;

/// <summary>Linear layers as bitsandbytes serialises them, for every one of the fixtures.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class QuantizedLinearTests
{
    public static TheoryData<string> Kinds => [.. Names().DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_serialised_layer_is_read_and_its_weights_quantise_to_the_same_bytes(string kind)
    {
        using var scope = NewDisposeScope();
        var root = Fixtures.Folder("nf4");
        using var file = SafetensorsReader.Open(Path.Combine(root, $"linear_{kind}.safetensors"));
        using var io = SafetensorsReader.Open(Path.Combine(root, $"linear_{kind}_io.safetensors"));
        var stored = QuantizedWeights.Read(file, "weight");
        var before = io.Read("weight_before").data<float>().ToArray();
        var (packed, absmax) = (new byte[stored.Packed.Length], new float[stored.Scales.Length]);
        FourBitBlocks.Quantize(before, stored.BlockSize, stored.Kind, packed, absmax);
        Parity.Equal("nf4 linear", kind + " codes", tensor(packed), tensor(stored.Packed));
        Parity.Equal("nf4 linear", kind + " values", stored.Dequantize(), io.Read("weight_dequantised"));
        if (stored.Nested is { } nested)
        {
            var own = NestedScales.Of(absmax);
            Assert.Equal((nested.Offset, nested.Absmax[0]), (own.Offset, own.Absmax[0]));
            var coarse = absmax.Select(scale => CoarseCode((scale - own.Offset) / own.Absmax[0])).ToArray();
            Parity.Equal("nf4 linear", kind + " nested codes of the grid", tensor(coarse), tensor(nested.Codes));

            // Ours are those of the nearest level: they differ where the grid chose a level that lies farther.
            Assert.All(own.Codes.Zip(nested.Codes, absmax), c => Assert.True(Distance(c.First, c.Third) <= Distance(c.Second, c.Third)));

            float Distance(byte code, float scale) => MathF.Abs(own.Map[code] - ((scale - own.Offset) / own.Absmax[0]));
        }

        var y = nn.functional.linear(io.Read("x"), stored.Dequantize(), file.Read("bias"));
        Parity.Within("nf4 linear", kind + " outputs", y, io.Read("y"), 1e-5);
    }

    [Fact]
    public void A_quantised_matrix_multiplies_as_the_values_it_stands_for_in_every_way_in()
    {
        using var scope = NewDisposeScope();
        using var matrix = new Nf4Matrix(37, 72);
        var source = randn(37, 72);
        matrix.Write(source);
        var plain = new PlainMatrix(matrix.Read());
        var (x, bias) = (randn(71, 72), randn(37));
        var (served, reference) = (empty(71, 37), empty(71, 37));
        matrix.Multiply(x, 64, bias, served);
        plain.Multiply(x, 64, bias, reference);
        Assert.Equal(0, (served - reference).abs().max().item<float>());

        var (leaf, plainLeaf) = (x.clone().requires_grad_(), x.clone().requires_grad_());
        var (quantised, exact) = (matrix.Linear(leaf, bias), plain.Linear(plainLeaf, bias));
        (quantised * quantised).sum().backward();
        (exact * exact).sum().backward();
        Assert.True((leaf.grad! - plainLeaf.grad!).abs().max().item<float>() < 1e-3);
        Assert.True((matrix.Read() - source).abs().max().item<float>() < 0.6);
        Assert.InRange(matrix.SizeBytes, 37 * 72 / 2, (37 * 72 / 2) + 1200);
    }

    [Fact]
    public void A_bfloat16_matrix_multiplies_rounded_weights_in_every_way_in()
    {
        using var scope = NewDisposeScope();
        var source = randn(37, 72);
        var matrix = new Bf16Matrix(source.to_type(ScalarType.BFloat16));
        var plain = new PlainMatrix(source.to_type(ScalarType.BFloat16).to_type(ScalarType.Float32));
        var (x, bias) = (randn(71, 72), randn(37));
        var (served, reference) = (empty(71, 37), empty(71, 37));
        matrix.Multiply(x, 64, bias, served);
        plain.Multiply(x, 64, bias, reference);
        Assert.Equal(0, (served - reference).abs().max().item<float>());
        Assert.Equal(37 * 72 * 2, matrix.SizeBytes);
    }

    [Theory]
    [InlineData(BaseFormat.Fp32, 4.0)]
    [InlineData(BaseFormat.Bf16, 2.0)]
    [InlineData(BaseFormat.Nf4, 0.53)]
    public void A_format_takes_the_bytes_it_promises_for_each_weight_of_the_linear_layers(BaseFormat format, double bytes)
    {
        var config = Llama.SmallConfigs.Grouped with { ModelWidth = 384, FeedForwardWidth = 1024, HeadWidth = 64, VocabularySize = 8 };
        using var model = new LlamaModel(config, format);
        foreach (var weight in model.Weights.Where(w => w.Name.Contains("_proj.", StringComparison.Ordinal)))
        {
            using var source = randn(weight.Shape);
            weight.Write(source);
        }

        var linear = model.Weights.Where(w => w.Name.Contains("_proj.", StringComparison.Ordinal)).ToArray();
        var count = linear.Sum(w => w.Shape.Aggregate(1L, (product, size) => product * size));
        Assert.InRange(linear.Sum(w => w.SizeBytes), bytes * count * 0.95, bytes * count * 1.01);
    }

    // bitsandbytes on the CPU rounds to a grid of 65,536 steps before it looks for the nearest level.
    private static byte CoarseCode(float scaled)
    {
        var onGrid = (MathF.Floor(((scaled + 1) * 32767.5f) + 0.5f) / 32767.5f) - 1;
        var map = DynamicMap.Signed.ToArray();
        return (byte)map.Index().MinBy(level => MathF.Abs(level.Item - onGrid)).Index;
    }

    private static IEnumerable<string> Names() => Fixtures.Root is null || !Directory.Exists(Path.Combine(Fixtures.Root, "nf4"))
        ? []
        : Directory.GetFiles(Path.Combine(Fixtures.Root, "nf4"), "linear_*_io.safetensors").Select(p => Path.GetFileName(p)["linear_".Length..^"_io.safetensors".Length]).Order(StringComparer.Ordinal);
}
