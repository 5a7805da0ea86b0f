using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>What a GPU would compute, on the processor: the same steps with libtorch's products alone. No GPU was there to run it on.</summary>
public sealed class GraphicsPathTests
{
    private static readonly int[] s_lengths = [1, 5, 70, 150, 33, 128];
    private static readonly int?[] s_adapters = [0, 1, 2, 3, null, 2];

    /// <summary>With bfloat16 the inputs of products and the keys are rounded too, to 8 bits.</summary>
    public static TheoryData<BaseFormat, bool, double> Formats => new()
    {
        { BaseFormat.Fp32, false, 1e-4 }, { BaseFormat.Fp32, true, 1e-4 }, { BaseFormat.Bf16, false, 0.05 }, { BaseFormat.Bf16, true, 0.05 },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Steps_with_and_without_adapters_are_those_of_the_processor(BaseFormat format, bool windowed, double bound)
    {
        using var scope = NewDisposeScope();
        using var model = windowed ? SmallConfigs.Random(SmallConfigs.Windowed, StepSeed.Of(11, "stage", 0, "test"), format) : SharedBaseTests.Model(format);
        using var other = WithoutKernels(model, format);

        var (expected_RD, expectedNext_RD, expected_RV) = Run(model);
        var (actual_RD, actualNext_RD, actual_RV) = Run(other);

        Assert.InRange(Error(expected_RD, actual_RD), 0, bound);
        Assert.InRange(Error(expectedNext_RD, actualNext_RD), 0, bound);
        Assert.InRange(Error(expected_RV, actual_RV), 0, bound);
    }

    [Fact]
    public void Formats_that_only_our_kernels_multiply_are_refused() =>
        Assert.Contains("Nf4", Assert.Throws<NotSupportedException>(
            () => new LlamaModel(SmallConfigs.Grouped, BaseFormat.Nf4, ModelBackend.LibtorchAlone(ScalarType.BFloat16))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_folder_is_read_into_it_with_the_tied_head_of_its_embedding()
    {
        using var folder = new TemporaryFolder();
        using var model = LlamaModel.CreateRandom(SmallConfigs.Ungrouped, StepSeed.Of(1, "stage", 0, "graphics"));
        HuggingFaceFolder.Write(folder.Path, model);

        using var read = ModelFolder.Load(folder.Path, format: BaseFormat.Bf16, backend: ModelBackend.LibtorchAlone(ScalarType.BFloat16));

        foreach (var weight in model.Weights)
        {
            using var scope = NewDisposeScope();
            var stored = read.Read(weight.Name);
            Assert.InRange(Error(weight.Read(), stored), 0, 4e-3);
        }
    }

    private static LlamaModel WithoutKernels(LlamaModel model, BaseFormat format)
    {
        var other = new LlamaModel(model.Config, format, ModelBackend.LibtorchAlone(format == BaseFormat.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32));
        using var frozen = no_grad();
        foreach (var weight in model.Weights)
        {
            using var value = weight.Read();
            other.Write(weight.Name, value);
        }

        return other;
    }

    /// <summary>A prompt of each length, in one step, a token after each, and its logits.</summary>
    private static (Tensor Prompts_RD, Tensor Next_RD, Tensor Logits_RV) Run(LlamaModel model)
    {
        using var bank = SharedBaseTests.Bank(model);
        using var cache = new KvCache(model.Config, s_lengths.Length, 160, model.Backend);
        var prompts_RD = model.Hidden(new StepBatch([.. s_lengths.Select((l, i) => new StepSequence(i, 0, SmallConfigs.Text(l, i), s_adapters[i]))]), cache, bank);
        var next_RD = model.Hidden(new StepBatch([.. s_lengths.Select((l, i) => new StepSequence(i, l, new[] { i + 3 }, s_adapters[i]))]), cache, bank);
        return (prompts_RD, next_RD, model.NextLogits(next_RD));
    }

    private static double Error(Tensor expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        return (actual - expected).norm().item<float>() / expected.norm().item<float>();
    }
}
