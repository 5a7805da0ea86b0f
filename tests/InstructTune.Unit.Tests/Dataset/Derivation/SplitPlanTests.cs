using CsCheck;
using InstructTune.Dataset.Derivation;
using InstructTune.Dataset.Examples;

namespace InstructTune.Unit.Tests.Dataset.Derivation;

public sealed class SplitPlanTests
{
    private static readonly Dictionary<string, double> Fractions = new() { ["train"] = 0.8, ["test"] = 0.2 };

    [Fact]
    public void The_part_depends_on_seed_and_prompt_alone() => Gen.Select(Gen.ULong, Gen.Int[1, 200]).Sample((seed, count) =>
    {
        var few = SplitPlan.Create(new SplitSpec(Fractions, seed, false), Examples(count));
        var many = SplitPlan.Create(new SplitSpec(Fractions, seed, false), Examples(1000));
        return Examples(count).All(e => few.PartOf(e) == many.PartOf(e with { Output = "other", Task = "elsewhere" }));
    });

    [Fact]
    public void The_parts_have_about_their_fractions()
    {
        var plan = SplitPlan.Create(new SplitSpec(Fractions, 7, false), []);

        // Five standard deviations of a binomial with n = 10,000 and p = 0.2 are 200.
        Assert.InRange(Examples(10_000).Count(e => plan.PartOf(e) == "test"), 1800, 2200);
    }

    [Fact]
    public void Another_seed_gives_another_split()
    {
        var one = SplitPlan.Create(new SplitSpec(Fractions, 1, false), []);
        var two = SplitPlan.Create(new SplitSpec(Fractions, 2, false), []);

        Assert.Contains(Examples(1000), e => one.PartOf(e) != two.PartOf(e));
    }

    [Fact]
    public void With_strata_every_task_is_cut_at_the_fractions()
    {
        var examples = Examples(100).Select((e, i) => e with { Task = i < 90 ? "large" : "small" }).ToList();

        var plan = SplitPlan.Create(new SplitSpec(Fractions, 3, true), examples);

        Assert.Equal(18, examples.Count(e => e.Task == "large" && plan.PartOf(e) == "test"));
        Assert.Equal(2, examples.Count(e => e.Task == "small" && plan.PartOf(e) == "test"));
    }

    [Fact]
    public void Equal_prompts_share_a_part_even_across_strata() => Gen.ULong.Sample(seed =>
    {
        List<Example> examples = [.. Examples(50).Select(e => e with { Task = "a" }), .. Examples(50).Select(e => e with { Task = "b" })];
        var plan = SplitPlan.Create(new SplitSpec(Fractions, seed, true), examples);
        return examples.GroupBy(e => e.Prompt).All(g => g.Select(plan.PartOf).Distinct().Count() == 1);
    });

    private static IEnumerable<Example> Examples(int count) =>
        Enumerable.Range(0, count).Select(i => new Example(new InstructionPrompt("q", $"{i}"), "a"));
}
