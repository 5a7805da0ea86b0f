using InstructTune.Evaluation.Suites;
using InstructTune.Metrics.Statistics;

namespace InstructTune.Evaluation.Runs;

/// <summary>The questions of one task: a pure function of suite, dataset size and seed.</summary>
/// <param name="Task">The task.</param>
/// <param name="Indices">Positions of the examples, ascending.</param>
internal sealed record TaskPlan(SuiteTask Task, IReadOnlyList<long> Indices)
{
    public static TaskPlan Of(SuiteTask task, long exampleCount, ulong seed)
    {
        var isSubset = task.MaxExamples > 0 && task.MaxExamples < exampleCount;
        var indices = isSubset
            ? new SplitMix64(seed).Permute(exampleCount, task.MaxExamples).Order().ToArray()
            : [.. Enumerable.Range(0, checked((int)exampleCount)).Select(index => (long)index)];
        return new TaskPlan(task, indices);
    }

    /// <summary>The seed of one sampled answer: independent of the order in which questions are asked.</summary>
    public static ulong AnswerSeed(ulong seed, long exampleIndex) => new SplitMix64(new SplitMix64(seed).Next() ^ (ulong)exampleIndex).Next();
}
