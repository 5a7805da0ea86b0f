using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Llama;

/// <summary>The serving way in: what the cache, chunks and neighbours may not change.</summary>
public sealed class ServingTests
{
    private static readonly StepSeed s_seed = StepSeed.Of(3, "stage", 0, "test");

    public static TheoryData<string> Kinds => ["grouped", "ungrouped", "windowed"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Token_by_token_over_the_cache_equals_the_whole_text(string kind)
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(Config(kind), s_seed);
        var ids = SmallConfigs.Text(90);
        var whole_TV = model.Logits(model.Hidden(tensor(ids, ScalarType.Int64).unsqueeze(0))[0]);
        using var cache = new KvCache(model.Config, 2, 90);
        for (var t = 0; t < ids.Length; t++)
        {
            var row_RV = model.Logits(model.Hidden(new StepBatch([new StepSequence(1, t, ids.AsMemory(t, 1))]), cache));
            var distance = ReferenceModel.Distance(row_RV[0], whole_TV[t]);
            Assert.True(distance < 2e-5, $"token {t}: {distance}");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_prompt_chunked_at_multiples_of_64_has_the_bits_of_the_whole(string kind)
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(Config(kind), s_seed);
        var ids = SmallConfigs.Text(210);
        using var cache = new KvCache(model.Config, 2, 210);
        var whole_TD = model.Hidden(new StepBatch([new StepSequence(0, 0, ids)]), cache);
        var chunks = new[] { (0, 64), (64, 192), (192, 210) }.Select(c => model.Hidden(
            new StepBatch([new StepSequence(1, c.Item1, ids.AsMemory(c.Item1, c.Item2 - c.Item1))]), cache)).ToArray();
        Assert.Equal(0, ReferenceModel.Distance(cat(chunks, 0), whole_TD));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_request_has_the_same_bits_alone_and_among_others(string kind)
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(Config(kind), s_seed);
        int[] lengths = [1, 5, 70, 2, 33, 1, 128];
        using var cache = new KvCache(model.Config, lengths.Length, 140);
        using var alone = new KvCache(model.Config, 1, 140);
        var batch = new StepBatch([.. lengths.Select((l, i) => new StepSequence(i, 0, SmallConfigs.Text(l, i)))]);
        var logits_RV = model.Logits(model.Hidden(batch, cache));
        var next = new StepBatch([.. lengths.Select((l, i) => new StepSequence(i, l, new[] { i + 3 }))]);
        var nextLogits_RV = model.NextLogits(model.Hidden(next, cache));
        for (var i = 0; i < lengths.Length; i++)
        {
            var own_RV = model.Logits(model.Hidden(new StepBatch([new StepSequence(0, 0, SmallConfigs.Text(lengths[i], i))]), alone));
            Assert.Equal(0, ReferenceModel.Distance(own_RV, logits_RV.narrow(0, batch.FirstRows[i], lengths[i])));
            var ownNext_RV = model.NextLogits(model.Hidden(new StepBatch([new StepSequence(0, lengths[i], new[] { i + 3 })]), alone));
            Assert.Equal(0, ReferenceModel.Distance(ownNext_RV, nextLogits_RV.narrow(0, i, 1)));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Chunks_of_any_length_and_order_give_the_logits_of_training(string kind)
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(Config(kind), s_seed);
        var texts = new[] { SmallConfigs.Text(150, 2), SmallConfigs.Text(150, 5) };
        using var cache = new KvCache(model.Config, 2, 150);
        var rows = new List<Tensor>[] { [], [] };
        int[] cuts = [0, 1, 63, 64, 70, 131, 150];
        for (var i = 1; i < cuts.Length; i++)
        {
            var batch = new StepBatch([.. new[] { 1, 0 }.Select(s => new StepSequence(s, cuts[i - 1], texts[s].AsMemory(cuts[i - 1], cuts[i] - cuts[i - 1])))]);
            var logits_RV = model.NextLogits(model.Hidden(batch, cache));
            rows[1].Add(logits_RV.narrow(0, batch.FirstRows[0], cuts[i] - cuts[i - 1]));
            rows[0].Add(logits_RV.narrow(0, batch.FirstRows[1], cuts[i] - cuts[i - 1]));
        }

        for (var s = 0; s < 2; s++)
        {
            var whole_TV = model.Logits(model.Hidden(tensor(texts[s], ScalarType.Int64).unsqueeze(0))[0]);
            Assert.True(ReferenceModel.Distance(cat([.. rows[s]], 0), whole_TV) < 2e-5);
        }
    }

    [Fact]
    public void A_copied_prefix_continues_as_the_original()
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped, s_seed);
        using var cache = new KvCache(model.Config, 2, 80);
        _ = model.Hidden(new StepBatch([new StepSequence(0, 0, SmallConfigs.Text(64))]), cache);
        cache.CopyPrefix(0, 1, 64);
        var both_RD = model.Hidden(new StepBatch([new StepSequence(0, 64, new[] { 5 }), new StepSequence(1, 64, new[] { 5 })]), cache);
        Assert.Equal(0, ReferenceModel.Distance(both_RD[0], both_RD[1]));
        cache.Clear(1);
        var cleared_RD = model.Hidden(new StepBatch([new StepSequence(1, 64, new[] { 5 })]), cache);
        Assert.NotEqual(0, ReferenceModel.Distance(cleared_RD[0], both_RD[0]));
    }

    [Fact]
    public void Padding_to_the_right_changes_no_real_token()
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped, s_seed);
        var ids_BT = SmallConfigs.Ids(1, 12);
        var padded_BT = cat([ids_BT, zeros([1, 4], ScalarType.Int64)], 1);
        Assert.True(ReferenceModel.Distance(model.Hidden(padded_BT).narrow(1, 0, 12), model.Hidden(ids_BT)) < 2e-5);
    }

    [Fact]
    public void Tokens_beyond_the_cache_are_refused_before_anything_is_written()
    {
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped, s_seed);
        using var cache = new KvCache(model.Config, 1, 4);
        Assert.Throws<ArgumentException>(() => model.Hidden(new StepBatch([new StepSequence(0, 3, new[] { 1, 2 })]), cache));
        Assert.Throws<ArgumentException>(() => model.Hidden(new StepBatch([new StepSequence(1, 0, new[] { 1 })]), cache));
        Assert.Throws<ArgumentException>(() => new StepBatch([new StepSequence(0, 0, new[] { 1 }), new StepSequence(0, 1, new[] { 1 })]));
    }

    [Fact]
    public void Many_serving_steps_keep_no_tensor()
    {
        using var model = LlamaModel.CreateRandom(SmallConfigs.Windowed, s_seed);
        using var cache = new KvCache(model.Config, 3, 200);
        Step(0);
        var budget = TensorBudget.Start();
        for (var t = 1; t < 100; t++)
        {
            Step(t);
        }

        budget.Require(0);

        void Step(int t)
        {
            using var scope = NewDisposeScope();
            var batch = new StepBatch([.. Enumerable.Range(0, 3).Select(i => new StepSequence(i, t, new[] { t % 90 }))]);
            _ = model.Logits(model.Hidden(batch, cache));
        }
    }

    private static LlamaConfig Config(string kind) => kind switch
    {
        "grouped" => SmallConfigs.Grouped,
        "ungrouped" => SmallConfigs.Ungrouped,
        _ => SmallConfigs.Windowed,
    };
}
