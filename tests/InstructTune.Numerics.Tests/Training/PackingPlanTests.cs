using System.Text.Json;
using CsCheck;
using InstructTune.Modeling.Training;

namespace InstructTune.Numerics.Tests.Training;

public sealed class PackingPlanTests
{
    [Fact]
    public void Every_example_goes_to_the_fullest_row_that_has_room() => Assert.Equal(
        new int[][] { [0, 7], [1, 4], [2, 3], [5, 6] }, PackingPlan.Of([7, 5, 4, 4, 3, 2, 2, 1], 8));

    [Fact]
    public void The_rows_of_the_reference_run_come_out()
    {
        var folder = ReferenceOutputs.Folder("training");
        var rows = File.ReadLines(Path.Combine(folder, "packed", "rows.jsonl")).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        var data = ReferenceOutputs.Json("training", "packed/run.json").GetProperty("data").GetString()!;
        var lengths = File.ReadLines(Path.Combine(folder, data))
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("input_ids").GetArrayLength()).ToArray();
        var capacity = ReferenceOutputs.Json("training", "packed/info.json").GetProperty("capacity").GetInt32();

        Assert.Equal(
            rows.Select(row => row.GetProperty("examples").EnumerateArray().Select(index => index.GetInt32()).ToArray()), PackingPlan.Of(lengths, capacity));
    }

    [Fact]
    public void Each_example_stands_once_and_no_row_overflows_or_could_take_another() => Gen.Int[1, 64].Array[0, 300].Sample(lengths =>
    {
        var rows = PackingPlan.Of(lengths, 64);
        Assert.Equal(Enumerable.Range(0, lengths.Length), rows.SelectMany(row => row).Order());
        Assert.All(rows, row => Assert.InRange(row.Sum(index => lengths[index]), 1, 64));

        // Of two rows that are half empty, one would have gone into the other.
        Assert.InRange(rows.Count(row => row.Sum(index => lengths[index]) <= 32), 0, 1);
    });

    [Fact]
    public void An_example_longer_than_a_row_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => PackingPlan.Of([3, 9], 8));
}
