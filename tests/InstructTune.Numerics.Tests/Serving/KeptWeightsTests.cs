using InstructTune.Kernels;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Serving;

/// <summary>Codes that are written once and read at every later load.</summary>
public sealed class KeptWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>48 is no multiple of 32, the weights of a block: what has no whole blocks is kept in float32.</summary>
    public static TheoryData<WeightFormat, int, bool> Formats => new()
    {
        { WeightFormat.Int8, 64, false }, { WeightFormat.Int4, 64, true }, { WeightFormat.Int8, 48, true }, { WeightFormat.Int4, 48, false },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void What_is_read_has_the_bits_of_what_is_quantized_in_memory(WeightFormat format, int width, bool tied)
    {
        var source = Directory.CreateDirectory(Path.Combine(_folder.Path, "model")).FullName;
        using (var model = LlamaModel.CreateRandom(SmallConfigs.Grouped with { ModelWidth = width, TiedEmbeddings = tied }, StepSeed.Of(5, "stage", 0, "kept")))
        {
            HuggingFaceFolder.Write(source, model);
        }

        var path = Path.Combine(_folder.Path, "kept.gguf");
        KernelModelFolder.WriteQuantized(path, source, format);
        using var fresh = new ServedKernels(KernelModelFolder.Load(source, format));
        using var kept = new ServedKernels(KernelModelFolder.LoadQuantized(path, source, format));
        var rows = ServedKernels.Rows(0, SmallConfigs.Text(40)).ToArray();

        Assert.Equal(fresh.Bits(rows), kept.Bits(rows));
    }

    [Fact]
    public void Float32_has_no_codes_to_keep() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => KernelModelFolder.WriteQuantized("x", "y", WeightFormat.Float32));

    public void Dispose() => _folder.Dispose();
}
