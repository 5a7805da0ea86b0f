using InstructTune.Kernels;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Storage;
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
    [InlineData(WeightFormat.Float32)]
    [InlineData(WeightFormat.Int8)]
    public void Logits_of_more_rows_than_are_in_memory_at_once_are_those_of_each_row(WeightFormat format)
    {
        using var served = new ServedKernels(_folder.Path, format);
        var ids = SmallConfigs.Text((2 * KernelPass.LogitRows) + 3);
        var alone = ids.Select((id, i) => served.Bits([.. ServedKernels.Rows(0, [id], i)])[0]).ToArray();

        Assert.Equal(alone, served.Bits([.. ServedKernels.Rows(1, ids)]));
        Assert.Equal(alone[^1], served.Pass.Logits(ids.Length - 1));
        Assert.Equal(alone[0], served.Pass.Logits(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => served.Pass.Logits(ids.Length).Length);
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
    public void Rows_with_adapters_of_several_ranks_with_DoRA_and_none_equal_the_trained_model_with_each()
    {
        using var scope = NewDisposeScope();
        using var served = new ServedKernels(_folder.Path, WeightFormat.Float32);
        (LoraAdapter? Adapter, KernelAdapter? Packed)[] all =
            [Adapter(rank: 4, seed: 1), (null, null), Adapter(rank: 9, seed: 2), Adapter(rank: 16, seed: 3, dora: true), Adapter(rank: 2, seed: 4, dora: true)];
        var ids = SmallConfigs.Text(12);
        AdapterRun[] runs = [.. all.Index().Where(a => a.Item.Packed is not null).Select(a => new AdapterRun(a.Item.Packed!, a.Index * 12, (a.Index + 1) * 12))];

        var bits = served.Bits([.. Enumerable.Range(0, all.Length).SelectMany(slot => ServedKernels.Rows(slot, ids))], runs);

        var ids_BT = tensor(ids, ScalarType.Int64).unsqueeze(0);
        for (var i = 0; i < all.Length; i++)
        {
            using var adapter = all[i].Adapter;
            using var packed = all[i].Packed;
            var hidden_TD = (adapter is null ? _model.Hidden(ids_BT) : _model.Hidden(ids_BT, adapter, s_seed))[0];
            var expected_TV = adapter is null ? _model.Logits(hidden_TD) : _model.Logits(hidden_TD, adapter);
            var mine = bits[(i * 12)..((i + 1) * 12)];
            Assert.InRange(ReferenceModel.Distance(tensor([.. mine.SelectMany(row => row)], [12, 96]), expected_TV), 0, 2e-5);
            Assert.Equal(mine, served.Bits([.. ServedKernels.Rows(7, ids)], packed is null ? [] : [new AdapterRun(packed, 0, 12)]));
        }
    }

    [Fact]
    public void Rows_of_one_adapter_that_follow_each_other_are_one_run_with_the_bits_of_each_alone()
    {
        using var served = new ServedKernels(_folder.Path, WeightFormat.Float32);
        var (trained, read) = Adapter(rank: 9, seed: 2);
        using var adapter = trained;
        using var packed = read!;
        var (_, second) = Adapter(rank: 4, seed: 1);
        using var other = second!;
        int[][] texts = [.. Enumerable.Range(0, 6).Select(i => SmallConfigs.Text(1 + i, i))];
        KernelRow[] rows = [.. texts.SelectMany((ids, slot) => ServedKernels.Rows(slot, ids))];
        var starts = texts.Select((_, i) => texts[..i].Sum(ids => ids.Length)).ToArray();
        AdapterRun[] runs = [.. Enumerable.Range(0, 6).Where(i => i != 4).Select(i => new AdapterRun(i == 3 ? other : packed, starts[i], starts[i] + texts[i].Length))];

        Assert.Equal(
            [new AdapterRun(packed, starts[0], starts[3]), new AdapterRun(other, starts[3], starts[4]), new AdapterRun(packed, starts[5], rows.Length)],
            KernelAdapterStep.Joined(runs));
        var together = served.Bits(rows, runs);
        for (var i = 0; i < texts.Length; i++)
        {
            AdapterRun[] alone = i == 4 ? [] : [new AdapterRun(i == 3 ? other : packed, 0, texts[i].Length)];
            Assert.Equal(served.Bits([.. ServedKernels.Rows(7, texts[i])], alone), together[starts[i]..(starts[i] + texts[i].Length)]);
        }
    }

    [Fact]
    public void Threads_at_different_layers_leave_each_others_adapter_results_alone()
    {
        using var served = new ServedKernels(_folder.Path, WeightFormat.Float32);
        var (trained, read) = Adapter(rank: 16, seed: 3);
        using var adapter = trained;
        using var packed = read;
        AdapterRun[] runs = [new AdapterRun(packed!, 0, 12)];
        KernelRow[] rows = [.. ServedKernels.Rows(0, SmallConfigs.Text(12))];
        var expected = served.Bits(rows, runs);
        for (var repeat = 0; repeat < 60; repeat++)
        {
            Assert.Equal(expected, served.Bits(rows, runs));
        }
    }

    [Fact]
    public void An_adapter_with_a_whole_module_is_refused_by_name()
    {
        using var served = new ServedKernels(_folder.Path, WeightFormat.Float32);
        using var folder = new TemporaryFolder();
        AtomicFile.Write(folder["adapter_config.json"], """{"peft_type": "LORA", "target_modules": ["q_proj"], "modules_to_save": ["lm_head"]}"""u8);
        var refusal = Assert.Throws<ModelFormatException>(() => KernelAdapterFolder.Load(folder.Path, served.Model));
        Assert.Contains("modules_to_save", refusal.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    /// <summary>A random adapter, and the same read by the kernels from the folder that it was written to.</summary>
    private (LoraAdapter?, KernelAdapter?) Adapter(int rank, int seed, bool dora = false)
    {
        var config = new LoraConfig { Rank = rank, Alpha = 2 * rank, UseDora = dora, TargetModules = ["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"] };
        var adapter = LoraAdapter.Create(_model, config, StepSeed.Of((ulong)seed, "adapter", 0, "x"));
        foreach (var (name, value) in adapter.Parameters.Where(p => p.Name.Contains("lora_B", StringComparison.Ordinal)))
        {
            using var frozen = no_grad();
            using var generator = StepSeed.Of((ulong)seed, name, 0, "b").NewGenerator();
            value.normal_(0, 0.1, generator);
        }

        var folder = _folder[$"adapter-{seed}"];
        PeftAdapter.Write(folder, adapter);
        using var weights = KernelModelFolder.Load(_folder.Path, WeightFormat.Float32);
        return (adapter, KernelAdapterFolder.Load(folder, weights));
    }
}
