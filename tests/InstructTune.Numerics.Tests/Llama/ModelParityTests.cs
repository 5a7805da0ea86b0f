using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Llama;

/// <summary>Against transformers, for every model of the fixtures.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class ModelParityTests
{
    private const double LogitTolerance = 1e-4;

    public static TheoryData<string> Models => [.. ReferenceModel.Names.DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Models))]
    public void Serving_gives_the_reference_logits(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name);
        foreach (var example in reference.Examples.Where(e => e.Segments is null))
        {
            Parity.Within("models fp32 serving", $"{name}/{example.Name}", reference.Serve(example), example.Logits, LogitTolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Serving_in_chunks_and_token_by_token_gives_the_reference_logits(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name);
        foreach (var example in reference.Examples.Where(e => e.Segments is null))
        {
            if (reference.DependsOnChunks(example))
            {
                ParityLog.Skip("models fp32 chunks", $"{name}/{example.Name}", "keys that were written earlier keep the angles of a shorter text, as in transformers");
                continue;
            }

            Parity.Within("models fp32 chunks", $"{name}/{example.Name}", reference.Serve(example, chunkTokens: 7), example.Logits, LogitTolerance);
            Parity.Within("models fp32 tokens", $"{name}/{example.Name}", reference.Serve(example, chunkTokens: 1), example.Logits, LogitTolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Training_gives_the_reference_logits_at_any_positions_and_packed_into_one_row(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name);
        foreach (var example in reference.Examples)
        {
            var family = example.Segments is null ? "models fp32 training" : "models fp32 packed";
            Parity.Within(family, $"{name}/{example.Name}", reference.Train(example), example.Logits, LogitTolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Packed_sequences_are_two_sequences_of_one_step(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name);
        foreach (var example in reference.Examples.Where(e => e.Segments is not null))
        {
            using var cache = new KvCache(reference.Model.Config, example.Segments!.Length, example.Segments.Max());
            var step = new StepBatch([.. example.Segments.Select((l, i) => new StepSequence(i, 0, example.Ids.AsMemory(example.Segments.Take(i).Sum(), l)))]);
            var logits_TV = reference.Model.Logits(reference.Model.Hidden(step, cache));
            Parity.Within("models fp32 packed serving", $"{name}/{example.Name}", logits_TV, example.Logits, LogitTolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Hidden_states_are_the_reference_after_every_layer(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name);
        foreach (var example in reference.Cases.Where(c => c.TryGetProperty("hidden", out _)))
        {
            var names = example.GetProperty("hidden").EnumerateArray().Select(e => e.GetString()!).ToArray();
            var seen = 0;
            reference.Model.LayerObserver = (layer, x_RD) =>
            {
                seen++;
                var distance = ReferenceModel.Distance(x_RD, reference.Expected(names[layer]));
                Assert.True(distance < LogitTolerance, $"{names[layer]}: {distance}");
            };
            var hidden_BTD = reference.Model.Hidden(tensor(example.GetProperty("input_ids").Ints(), ScalarType.Int64).unsqueeze(0));
            Assert.Equal(names.Length - 1, seen);
            Assert.True(ReferenceModel.Distance(hidden_BTD[0], reference.Expected(names[^1])) < LogitTolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Rotary_frequencies_are_the_reference(string name)
    {
        using var reference = ReferenceModel.Open(name);
        var rope = reference.Json.GetProperty("rope");
        var config = reference.Model.Config;
        Assert.Equal(rope.GetProperty("attention_scaling").GetDouble(), RotaryFrequencies.AttentionFactor(config.Rotary), 6);
        foreach (var length in new[] { 7, 33, 100 })
        {
            using var expected = reference.Expected($"rope.inv_freq.len{length}");
            var actual = RotaryFrequencies.Compute(config.Rotary, config.HeadWidth, length);
            Assert.All(actual.Zip(expected.data<float>()), pair => Assert.Equal(pair.Second, pair.First, 1e-6f));
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Greedy_generation_over_the_cache_gives_the_reference_tokens(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name);
        foreach (var example in reference.Json.GetProperty("greedy").EnumerateArray())
        {
            var prompt = example.GetProperty("prompt_ids").Ints();
            var expected = example.GetProperty("new_ids").Ints();
            var actual = GreedyText.Generate(reference.Model, prompt, expected.Length);
            ParityLog.IsEqual("models fp32 greedy", $"{name}/{prompt.Length}", actual.SequenceEqual(expected));
            Assert.Equal(expected, actual);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void The_older_spelling_of_the_configuration_gives_the_same_bits(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name);
        var old = LlamaConfig.Parse(File.ReadAllBytes(Path.Combine(reference.Folder, "config.old.json")));
        var current = reference.Model.Config;
        Assert.Equal(current.Rotary, old.Rotary);
        Assert.Equal(Text(current), Text(old));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Loss_and_gradients_are_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name);
        var path = Path.Combine(reference.Folder, "expected_gradients.safetensors");
        var loss = reference.Json.GetProperty("loss");
        reference.Model.SetTrainable(true);
        var labels = loss.GetProperty("labels").Ints();
        var ids_BT = tensor(loss.GetProperty("input_ids").Ints(), ScalarType.Int64).unsqueeze(0);
        var logits_TV = reference.Model.Logits(reference.Model.Hidden(ids_BT)[0]).narrow(0, 0, labels.Length - 1);
        var value = nn.functional.cross_entropy(logits_TV, tensor(labels[1..], ScalarType.Int64), ignore_index: -100);
        Assert.Equal(loss.GetProperty("mean_token_loss").GetDouble(), value.item<float>(), 1e-5);
        if (!File.Exists(path))
        {
            return;
        }

        value.backward();
        using var gradients = SafetensorsReader.Open(path);
        foreach (var (parameter, weight) in reference.Model.Parameters)
        {
            using var expected = gradients.Read(parameter);
            Parity.WithinShare("models fp32 gradients", $"{name}/{parameter}", weight.grad!, expected, 5e-5);
        }
    }

    private static string Text(LlamaConfig config) => System.Text.Encoding.UTF8.GetString(config.ToJson());
}
