using InstructTune.Evaluation.Runs;

namespace InstructTune.Unit.Tests.Evaluation.Runs;

public sealed class TaskPlanTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(9)]
    public void Without_a_smaller_subset_every_example_is_asked(long maxExamples) =>
        Assert.Equal([0, 1, 2, 3, 4], TaskPlan.Of(Samples.Task(maxExamples: maxExamples), 5, seed: 1).Indices);

    [Fact]
    public void A_subset_is_ascending_and_fixed_by_the_seed()
    {
        var task = Samples.Task(maxExamples: 20);
        var indices = TaskPlan.Of(task, 1000, seed: 1).Indices;
        Assert.Equal(20, indices.Count);
        Assert.Equal(indices.Order(), indices);
        Assert.Equal(indices, TaskPlan.Of(task, 1000, seed: 1).Indices);
        Assert.NotEqual(indices, TaskPlan.Of(task, 1000, seed: 2).Indices);
    }

    [Fact]
    public void A_larger_subset_holds_the_smaller_one() => Assert.Subset(
        TaskPlan.Of(Samples.Task(maxExamples: 50), 1000, seed: 1).Indices.ToHashSet(),
        TaskPlan.Of(Samples.Task(maxExamples: 20), 1000, seed: 1).Indices.ToHashSet());

    [Fact]
    public void Every_answer_has_a_seed_of_its_own()
    {
        var seeds = Enumerable.Range(0, 100).SelectMany(index => new[] { TaskPlan.AnswerSeed(1, index), TaskPlan.AnswerSeed(2, index) });
        Assert.Equal(200, seeds.Distinct().Count());
    }
}
