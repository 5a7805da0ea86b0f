using InstructTune.Kernels;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Serving;

/// <summary>What chunks, neighbours, adapters and threads may not change.</summary>
public sealed class KernelServingTests : IDisposable
{
    private static readonly StepSeed s_seed = StepSeed.Of(5, "stage", 0, "kernels");

    private readonly TemporaryFolder _folder = new();
    private readonly LlamaModel _model = LlamaModel.CreateRandom(SmallConfigs.Grouped, s_seed);

    public KernelServingTests() => HuggingFaceFolder.Write(_folder.Path, _model);

    public static TheoryData<WeightFormat> Formats => [.. Enum.GetValues<WeightFormat>()];

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_request_has_the_same_bits_alone_among_others_in_chunks_and_token_by_token(WeightFormat format)
    {
        using var served = new ServedKernels(_folder.Path, format);
        var ids = SmallConfigs.Text(90);
        var alone = served.Bits([.. ServedKernels.Rows(0, ids)]);
        var among = served.Bits([.. ServedKernels.Rows(1, SmallConfigs.Text(7, 3)), .. ServedKernels.Rows(2, ids), .. ServedKernels.Rows(3, SmallConfigs.Text(2, 9))]);
        Assert.Equal(alone, among[7..97]);

        var chunks = new[] { (0, 5), (5, 64), (64, 65), (65, 90) }
            .SelectMany(c => served.Bits([.. ServedKernels.Rows(4, ids[c.Item1..c.Item2], c.Item1)])).ToArray();
        Assert.Equal(alone, chunks);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_number_of_threads_changes_no_bit(int threads)
    {
        using var two = new ServedKernels(_folder.Path, WeightFormat.Int8);
        using var other = new ServedKernels(_folder.Path, WeightFormat.Int8, threads: threads);
        Assert.Equal(two.Bits([.. ServedKernels.Rows(0, SmallConfigs.Text(20))]), other.Bits([.. ServedKernels.Rows(0, SmallConfigs.Text(20))]));
    }

    [Fact]
    public void Rows_with_different_adapters_and_none_equal_the_trained_model_with_each()
    {
        using var scope = NewDisposeScope();
        using var served = new ServedKernels(_folder.Path, WeightFormat.Float32);
        using var first = Adapter(rank: 4, seed: 1);
        using var second = Adapter(rank: 9, seed: 2);
        using var packedFirst = KernelModelFolder.Pack(first);
        using var packedSecond = KernelModelFolder.Pack(second);
        var ids = SmallConfigs.Text(12);

        var bits = served.Bits(
            [.. ServedKernels.Rows(0, ids), .. ServedKernels.Rows(1, ids), .. ServedKernels.Rows(2, ids)],
            new AdapterRun(packedFirst, 0, 12), new AdapterRun(packedSecond, 24, 36));

        var ids_BT = tensor(ids, ScalarType.Int64).unsqueeze(0);
        foreach (var (adapter, from) in new (LoraAdapter?, int)[] { (first, 0), (null, 12), (second, 24) })
        {
            var hidden_TD = (adapter is null ? _model.Hidden(ids_BT) : _model.Hidden(ids_BT, adapter, s_seed))[0];
            var expected_TV = adapter is null ? _model.Logits(hidden_TD) : _model.Logits(hidden_TD, adapter);
            var actual_TV = tensor([.. bits[from..(from + 12)].SelectMany(row => row)], [12, 96]);
            Assert.InRange(ReferenceModel.Distance(actual_TV, expected_TV), 0, 2e-5);
        }
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    private LoraAdapter Adapter(int rank, int seed)
    {
        var config = new LoraConfig { Rank = rank, Alpha = 2 * rank, TargetModules = ["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"] };
        var adapter = LoraAdapter.Create(_model, config, StepSeed.Of((ulong)seed, "adapter", 0, "x"));
        foreach (var (name, value) in adapter.Parameters)
        {
            if (name.Contains("lora_B", StringComparison.Ordinal))
            {
                using var frozen = no_grad();
                using var generator = StepSeed.Of((ulong)seed, name, 0, "b").NewGenerator();
                value.normal_(0, 0.1, generator);
            }
        }

        return adapter;
    }
}
