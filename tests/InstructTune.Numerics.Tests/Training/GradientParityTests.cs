using System.Text.Json;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>One batch of transformers: every gradient; and packed rows: positions, token losses.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class GradientParityTests
{
    private const double Share = 1e-5;

    public static TheoryData<string> Models => [.. Directory.Exists(Path.Combine(ReferenceOutputs.Root, "training", "gradients"))
        ? Directory.EnumerateFiles(Path.Combine(ReferenceOutputs.Root, "training", "gradients"), "*.json").Select(file => Path.GetFileNameWithoutExtension(file)!)
        : ["none"]];

    [Theory]
    [MemberData(nameof(Models))]
    public void Every_gradient_of_a_batch_is_that_of_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        var root = ReferenceOutputs.Folder("training");
        var reference = ReferenceOutputs.Json("training", "gradients", name + ".json");
        using var expected = SafetensorsReader.Open(Path.Combine(root, "gradients", name + ".safetensors"));
        using var trainee = new ReferenceTrainee(Path.Combine(root, reference.GetProperty("model").GetString()!));
        var data = ReferenceRun.DataOf(root, reference.GetProperty("model").GetString()!);
        var rows = reference.GetProperty("rows").EnumerateArray().Select(row => data[row.GetInt32()]).ToArray();
        using var batch = PaddedBatch.Of(rows);
        Assert.Equal(reference.GetProperty("tokens").GetInt32(), batch.TrainedTokenCount);
        var sum = ResponseLoss.Backward(trainee.Hidden(batch.Ids_BT, default, null), batch, (rows, _) => trainee.Logits(rows), trainee.VocabularySize, batch.TrainedTokenCount);
        Parity.Within("training batch loss", name, Math.Abs((sum / batch.TrainedTokenCount) - reference.GetProperty("loss").GetDouble()), 1e-5);
        foreach (var weight in trainee.Weights)
        {
            var digest = reference.GetProperty("digests").GetProperty(weight.Name);
            ReferenceRun.CompareDigest("training gradient digests", $"{name}/{weight.Name}", weight.Value.grad!, digest, Share);
            if (expected.Find("grad." + weight.Name) is not null)
            {
                Parity.WithinShare("training gradients", $"{name}/{weight.Name}", weight.Value.grad!, expected.Read("grad." + weight.Name), Share);
            }
        }
    }

    [Fact]
    public void Packed_rows_have_the_examples_the_positions_and_the_borders_of_the_reference()
    {
        var (packed, rows, order) = Packed();
        Assert.Equal(rows.Length, packed.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            var segments = packed[i].SegmentTokens!;
            var borders = segments.Aggregate(new List<int> { 0 }, (list, length) => [.. list, list[^1] + length]);
            var capacity = rows[i].GetProperty("input_ids").GetArrayLength();
            int[] positions = [.. segments.SelectMany(length => Enumerable.Range(0, length))];
            Assert.True(ParityLog.IsEqual("training packed rows", $"{i}/examples", order[i].SequenceEqual(Ints(rows[i], "examples"))));
            Assert.True(ParityLog.IsEqual("training packed rows", $"{i}/ids", packed[i].Ids.SequenceEqual(Ints(rows[i], "input_ids").Take(packed[i].Ids.Length))));
            Assert.True(ParityLog.IsEqual("training packed rows", $"{i}/positions", positions.SequenceEqual(Ints(rows[i], "position_ids").Take(positions.Length))));
            Assert.True(ParityLog.IsEqual("training packed rows", $"{i}/labels", packed[i].Trained.SequenceEqual(Ints(rows[i], "labels").Take(positions.Length).Select(label => label != -100))));
            var expected = Ints(rows[i], "cu_seqlens");
            Assert.True(ParityLog.IsEqual("training packed rows", $"{i}/borders", borders.SequenceEqual(expected.Take(borders.Count)) && expected[^1] == capacity));
        }
    }

    [Fact]
    public void Angles_of_a_packed_row_are_those_of_each_example_on_its_own()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Load(Path.Combine(ReferenceOutputs.Folder("training"), "tiny"));
        using var table = new RotaryTable(model.Config);
        var (packed, rows, _) = Packed();
        for (var i = 0; i < packed.Length; i++)
        {
            using var batch = PaddedBatch.Of([packed[i]]);
            var angles = batch.Placement!.Rotation(table, packed[i].Ids.Length);
            var positions = Ints(rows[i], "position_ids").Take(packed[i].Ids.Length).Select(position => (long)position).ToArray();
            var expected = table.At(positions, (int)positions.Max() + 1);
            Parity.Equal("training packed angles", $"{i}", angles.Cos_R1H.view(-1), expected.Cos_R1H.view(-1));
        }
    }

    [Fact]
    public void Token_by_token_packed_losses_are_those_of_the_reference_and_of_the_example_alone()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var root = ReferenceOutputs.Folder("training");
        using var model = ModelFolder.Load(Path.Combine(root, "tiny"));
        var (packed, _, order) = Packed();
        var examples = ReferenceRun.Rows(Path.Combine(root, ReferenceOutputs.Json("training", "packed", "run.json").GetProperty("data").GetString()!));
        foreach (var line in ReferenceOutputs.JsonLines("training", "packed", "token_losses.jsonl"))
        {
            var (row, example) = (line.GetProperty("row").GetInt32(), line.GetProperty("example").GetInt32());
            var place = order[row].IndexOf(example);
            var from = packed[row].SegmentTokens!.Take(place).Sum();
            var together = Losses(model, packed[row], from, examples[example]);
            var alone = Losses(model, examples[example], 0, examples[example]);
            var expected = line.GetProperty("token_losses_packed").EnumerateArray().Select(value => value.GetDouble()).ToArray();
            Assert.Equal(expected.Length, together.Length);
            for (var t = 0; t < expected.Length; t++)
            {
                Parity.Within("training packed token losses", $"{row}/{example}/{t}", Math.Abs(together[t] - expected[t]), 1e-5);
                Parity.Within("training packed against alone", $"{row}/{example}/{t}", Math.Abs(together[t] - alone[t]), 1e-5);
            }
        }
    }

    // Losses of the trained tokens of one example of a row.
    private static double[] Losses(LlamaModel model, TokenizedExample row, int from, TokenizedExample example)
    {
        using var scope = NewDisposeScope();
        using var batch = PaddedBatch.Of([row]);
        var hidden_TD = model.Hidden(batch.Ids_BT, placement: batch.Placement).squeeze(0).narrow(0, from, example.Ids.Length);
        var logs_TV = model.Logits(hidden_TD).log_softmax(1);
        return [.. Enumerable.Range(1, example.Ids.Length - 1).Where(t => example.Trained[t]).Select(t => -(double)logs_TV[t - 1, example.Ids[t]].item<float>())];
    }

    private static (TokenizedExample[] Packed, JsonElement[] Rows, List<int>[] Order) Packed()
    {
        var root = ReferenceOutputs.Folder("training");
        var examples = ReferenceRun.Rows(Path.Combine(root, ReferenceOutputs.Json("training", "packed", "run.json").GetProperty("data").GetString()!));
        var plan = PackingPlan.Of([.. examples.Select(example => example.Ids.Length)], ReferenceOutputs.Json("training", "packed", "info.json").GetProperty("capacity").GetInt32());
        return (
            [.. plan.Select(row => TokenizedExample.Pack([.. row.Select(index => examples[index])]))],
            [.. ReferenceOutputs.JsonLines("training", "packed", "rows.jsonl")],
            [.. plan.Select(row => row.ToList())]);
    }

    private static int[] Ints(JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(value => value.GetInt32())];
}
