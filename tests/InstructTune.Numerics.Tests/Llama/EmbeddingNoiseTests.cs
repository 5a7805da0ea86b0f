using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Llama;

/// <summary>NEFTune, and which weights of a model are trained.</summary>
public sealed class EmbeddingNoiseTests
{
    private static readonly StepPlace s_place = new(0, 30);

    private static LlamaConfig Config { get; } = new()
    {
        VocabularySize = 64, ModelWidth = 32, FeedForwardWidth = 48, LayerCount = 2, QueryHeads = 4, KeyValueHeads = 2, HeadWidth = 8, ContextTokens = 64, TiedEmbeddings = false,
    };

    [Fact]
    public void Noise_fills_its_bound_which_follows_from_the_longest_row_of_the_step()
    {
        using var scope = NewDisposeScope();
        var noise = new EmbeddingNoise(5, new StepSeed(1));
        var added = noise.Add(zeros(2 * 30, 32), 30, s_place, segments: null);
        var bound = (float)(5 / Math.Sqrt(30 * 32));
        Assert.InRange(added.abs().max().item<float>(), 0.99f * bound, bound);
        Assert.Equal(bound * bound / 3, (added * added).mean().item<float>(), bound * bound * 0.05);
        Assert.True(added.equal(noise.Add(zeros(60, 32), 30, s_place, segments: null)).all().item<bool>());
        Assert.False(added.equal(new EmbeddingNoise(5, new StepSeed(2)).Add(zeros(60, 32), 30, s_place, segments: null)).all().item<bool>());
    }

    [Fact]
    public void An_example_in_a_packed_row_has_the_bound_of_its_own_length()
    {
        using var scope = NewDisposeScope();
        var added = new EmbeddingNoise(10, new StepSeed(1)).Add(zeros(50, 32), 50, new StepPlace(0, 50), [[(0, 10), (10, 40)]]);
        foreach (var (piece, tokens) in new[] { (added[..10], 10), (added[10..], 40) })
        {
            var bound = (float)(10 / Math.Sqrt(tokens * 32));
            Assert.InRange(piece.abs().max().item<float>(), 0.9f * bound, bound);
        }
    }

    [Fact]
    public void The_stream_is_that_of_noisy_embeddings_and_gradients_reach_the_table()
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(Config, new StepSeed(3));
        model.SetTrainable(true);
        var ids = arange(2, 12, ScalarType.Int64).unsqueeze(0);
        float[] seen = [];
        model.LayerObserver = (layer, x) => seen = layer == 0 ? x.data<float>().ToArray() : seen;
        var plain = model.Hidden(ids).detach();
        var quiet = tensor(seen).view(10, Config.ModelWidth);
        var noisy = model.Hidden(ids, noise: new EmbeddingNoise(5, new StepSeed(1)));
        var expected = new EmbeddingNoise(5, new StepSeed(1)).Add(quiet, 10, new StepPlace(0, 10), segments: null);
        Assert.Equal(expected.data<float>().ToArray(), seen);
        Assert.False(plain.equal(noisy).all().item<bool>());
        noisy.sum().backward();
        Assert.True(model.Parameters.Single(weight => weight.Name == "model.embed_tokens.weight").Value.grad!.abs().sum().item<float>() > 0);
    }

    [Fact]
    public void Frozen_weights_get_no_gradient_and_the_others_the_one_of_full_training()
    {
        using var scope = NewDisposeScope();
        using var full = LlamaModel.CreateRandom(Config, new StepSeed(3));
        using var some = LlamaModel.CreateRandom(Config, new StepSeed(3));
        full.SetTrainable(true);
        some.SetTrainable(name => name.StartsWith("model.layers.1.", StringComparison.Ordinal) || name == "lm_head.weight");
        foreach (var model in new[] { full, some })
        {
            var logits_RV = model.Logits(model.Hidden(arange(2, 12, ScalarType.Int64).unsqueeze(0)).squeeze(0));
            (logits_RV * logits_RV).sum().backward();
        }

        foreach (var (weight, reference) in some.Parameters.Zip(full.Parameters))
        {
            if (weight.Value.requires_grad)
            {
                Assert.True(weight.Value.grad!.equal(reference.Value.grad!).all().item<bool>(), weight.Name);
            }
            else
            {
                Assert.Null(weight.Value.grad);
            }
        }

        Assert.Equal(9 + 1, some.Parameters.Count(weight => weight.Value.requires_grad));
    }

    [Theory]
    [InlineData(LoraStart.Uniform, false)]
    [InlineData(LoraStart.Gaussian, false)]
    [InlineData(LoraStart.Uniform, true)]
    public void An_adapter_that_was_not_trained_is_the_base_bit_for_bit(LoraStart start, bool useDora)
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(Config, new StepSeed(3));
        using var adapter = LoraAdapter.Create(model, new LoraConfig { Rank = 4, TargetModules = LoraConfig.AllLinear, Start = start, UseDora = useDora }, new StepSeed(1));
        var ids = arange(2, 34, ScalarType.Int64).view(2, 16);
        var (expected, actual) = (model.Hidden(ids), model.Hidden(ids, adapter));
        Assert.True(actual.equal(expected).all().item<bool>(), $"differs by {(actual - expected).abs().max().item<float>()}");
    }
}
