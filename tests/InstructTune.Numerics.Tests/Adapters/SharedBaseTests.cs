using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Numerics.Tests.Llama;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>Many adapters over one base: what neighbours and chunks may not change.</summary>
public sealed class SharedBaseTests
{
    private static readonly StepSeed s_seed = StepSeed.Of(11, "stage", 0, "test");

    public static TheoryData<BaseFormat> Formats => [BaseFormat.Fp32, BaseFormat.Bf16, BaseFormat.Nf4];

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_request_has_the_same_bits_alone_and_among_others_whatever_adapters_and_chunks(BaseFormat format)
    {
        using var scope = NewDisposeScope();
        using var model = Model(format);
        using var bank = Bank(model);
        int[] lengths = [1, 5, 70, 150, 33, 128];
        int?[] adapters = [0, 1, 2, 3, null, 2];
        using var cache = new KvCache(model.Config, lengths.Length, 160);
        using var alone = new KvCache(model.Config, 1, 160);
        var batch = new StepBatch([.. lengths.Select((l, i) => new StepSequence(i, 0, SmallConfigs.Text(l, i), adapters[i]))]);
        var hidden_RD = model.Hidden(batch, cache, bank);
        var next_RD = model.Hidden(new StepBatch([.. lengths.Select((l, i) => new StepSequence(i, l, new[] { i + 3 }, adapters[i]))]), cache, bank);
        for (var i = 0; i < lengths.Length; i++)
        {
            var text = SmallConfigs.Text(lengths[i], i);
            for (var from = 0; from < lengths[i]; from += 64)
            {
                var count = Math.Min(64, lengths[i] - from);
                var own_RD = model.Hidden(new StepBatch([new StepSequence(0, from, text.AsMemory(from, count), adapters[i])]), alone, bank);
                Assert.Equal(0, ReferenceModel.Distance(own_RD, hidden_RD.narrow(0, batch.FirstRows[i] + from, count)));
            }

            var ownNext_RD = model.Hidden(new StepBatch([new StepSequence(0, lengths[i], new[] { i + 3 }, adapters[i])]), alone, bank);
            Assert.Equal(0, ReferenceModel.Distance(ownNext_RD, next_RD.narrow(0, i, 1)));
            Assert.Equal(0, ReferenceModel.Distance(model.NextLogits(ownNext_RD), model.NextLogits(next_RD).narrow(0, i, 1)));
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Rows_of_many_adapters_get_what_training_computes(BaseFormat format)
    {
        using var scope = NewDisposeScope();
        using var model = Model(format);
        var adapters = Adapters(model);
        using var bank = Bank(model);
        using var cache = new KvCache(model.Config, adapters.Length, 80);
        var batch = new StepBatch([.. adapters.Select((_, i) => new StepSequence(i, 0, SmallConfigs.Text(75, i), i))]);
        var served_RD = model.Hidden(batch, cache, bank);
        for (var i = 0; i < adapters.Length; i++)
        {
            using var adapter = adapters[i];
            var trained_BTD = model.Hidden(tensor(SmallConfigs.Text(75, i), ScalarType.Int64).unsqueeze(0), adapter);
            Assert.True(ReferenceModel.Distance(served_RD.narrow(0, batch.FirstRows[i], 75), trained_BTD[0]) < 5e-5);
        }
    }

    [Fact]
    public void What_is_not_finite_in_one_adapter_reaches_no_other_row()
    {
        using var scope = NewDisposeScope();
        using var model = Model(BaseFormat.Fp32);
        using var bank = Bank(model);
        using var cache = new KvCache(model.Config, 3, 20);
        var clean_RD = model.Hidden(Batch([0, null]), cache, bank);
        var poisoned = Adapters(model)[3];
        foreach (var module in poisoned.Modules.Values)
        {
            module.A_RI.fill_(float.NaN);
        }

        bank.Load(3, poisoned, model);
        var mixed_RD = model.Hidden(Batch([0, null, 3]), cache, bank);
        Assert.Equal(0, ReferenceModel.Distance(mixed_RD.narrow(0, 0, 20), clean_RD));
        Assert.True(mixed_RD.narrow(0, 20, 10).isnan().any().item<bool>());

        static StepBatch Batch(int?[] adapters) => new([.. adapters.Select((a, i) => new StepSequence(i, 0, SmallConfigs.Text(10, i), a))]);
    }

    [Fact]
    public void Many_serving_steps_with_adapters_keep_no_tensor() => LeakRuns.Serving(steps: 60);

    /// <summary>Ranks 2, 8 and 16, and DoRA on layers with biases.</summary>
    internal static LoraAdapter[] Adapters(LlamaModel model) =>
    [
        Adapter(model, new LoraConfig { Rank = 2, TargetModules = ["q_proj"] }, 0),
        Adapter(model, new LoraConfig { Rank = 8, Alpha = 32, UseRsLora = true, TargetModules = LoraConfig.AllLinear }, 1),
        Adapter(model, new LoraConfig { Rank = 16, TargetModules = LoraConfig.AllLinear }, 2),
        Adapter(model, new LoraConfig { Rank = 4, UseDora = true, TargetModules = LoraConfig.AllLinear }, 3),
    ];

    internal static AdapterBank Bank(LlamaModel model)
    {
        var bank = new AdapterBank(model.Config, 4, 16);
        foreach (var (i, adapter) in Adapters(model).Index())
        {
            bank.Load(i, adapter, model);
            adapter.Dispose();
        }

        return bank;
    }

    internal static LlamaModel Model(BaseFormat format) => SmallConfigs.Random(SmallConfigs.Grouped with { QueryKeyValueBias = true, FeedForwardBias = true }, s_seed, format);

    private static LoraAdapter Adapter(LlamaModel model, LoraConfig config, int index)
    {
        var adapter = LoraAdapter.Create(model, config, s_seed.Derive("adapter", index));
        using var generator = s_seed.Derive("b", index).NewGenerator();
        foreach (var (_, value) in adapter.Parameters.Where(p => !p.Name.Contains("lora_A", StringComparison.Ordinal)))
        {
            using var noise = randn(value.shape, ScalarType.Float32, generator: generator);
            value.add_(noise, 0.1);
        }

        return adapter;
    }
}
