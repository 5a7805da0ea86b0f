using CsCheck;
using InstructTune.Trainer.Data;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class MixPlanTests
{
    private static readonly DatasetFacts Large = new("datasets/large/versions/1", "large", 90);
    private static readonly DatasetFacts Small = new("datasets/small/versions/1", "small", 10);

    [Fact]
    public void Components_follow_each_other_in_the_amounts_asked_for()
    {
        var plan = Plan(MixStrategy.Concatenate, new MixComponent("") { ExampleCount = 5 }, new MixComponent("") { Fraction = 0.34 });
        Assert.Equal([0, 0, 0, 0, 0, 1, 1, 1], plan.Places.Select(place => place.Component));
        Assert.Equal(8, plan.Places.Distinct().Count());
    }

    [Fact]
    public void A_smaller_sample_is_contained_in_a_larger_one_wherever_it_stands()
    {
        var few = Plan(MixStrategy.Concatenate, new MixComponent("") { ExampleCount = 7 }, new MixComponent(""));
        var many = Plan(MixStrategy.InterleaveOnce, new MixComponent("") { ExampleCount = 30 }, new MixComponent(""));
        Assert.Subset(many.Places.ToHashSet(), few.Places.Where(place => place.Component == 0).ToHashSet());
    }

    [Fact]
    public void Repeats_take_every_example_once_before_any_twice()
    {
        var plan = Plan(MixStrategy.Concatenate, new MixComponent("") { ExampleCount = 1 }, new MixComponent("") { Fraction = 2.5, AllowsRepeats = true });
        var uses = plan.Places.Where(place => place.Component == 1).GroupBy(place => place.Index).Select(uses => uses.Count()).Order();
        Assert.Equal([2, 2, 2, 2, 2, 3, 3, 3, 3, 3], uses);
    }

    [Theory]
    [InlineData(1, 38, 10)]
    [InlineData(2, 90, 22)]
    [InlineData(3, 90, 10)]
    public void Draws_stop_as_the_strategy_says(int strategy, long large, long small) =>
        Assert.Equal([large, small], Plan((MixStrategy)strategy, new MixComponent("") { Weight = 0.8 }, new MixComponent("") { Weight = 0.2 }).Counts(2));

    [Fact]
    public void Without_weights_draws_are_in_proportion_to_size_and_a_temperature_evens_them()
    {
        Assert.Equal([45, 5], Plan(new MixSpec { Components = [new(""), new("")], Strategy = MixStrategy.InterleaveOnce, ExampleCount = 50 }).Counts(2));
        Assert.Equal([29, 10], Plan(new MixSpec { Components = [new(""), new("")], Strategy = MixStrategy.InterleaveUntilFirst, Temperature = 2 }).Counts(2));
    }

    [Fact]
    public void A_total_bounds_the_draws_and_small_components_repeat_up_to_it()
    {
        var mix = new MixSpec { Components = [new("") { Weight = 1 }, new("") { Weight = 1 }], Strategy = MixStrategy.InterleaveUntilAll, ExampleCount = 300 };
        Assert.Equal([150, 150], Plan(mix).Counts(2));
    }

    [Fact]
    public void No_component_is_ever_a_whole_draw_away_from_its_share() => Gen.Double[0.001, 1].Array[2, 12].Sample(weights =>
    {
        var order = new DrawOrder(weights);
        var (drawn, sum) = (new long[weights.Length], weights.Sum());
        for (var t = 1; t <= 400; t++)
        {
            drawn[order.Next()]++;
            for (var i = 0; i < weights.Length; i++)
            {
                Assert.InRange(drawn[i] - (t * weights[i] / sum), -1.000001, 1.000001);
            }
        }
    }, iter: 200);

    [Fact]
    public void Another_seed_takes_other_examples_in_the_same_counts()
    {
        var mix = new MixSpec { Components = [new("") { ExampleCount = 20 }, new("") { ExampleCount = 5 }], Strategy = MixStrategy.InterleaveOnce };
        var (one, other) = (Plan(mix), Plan(mix with { Seed = 1 }));
        Assert.Equal(one.Counts(2), other.Counts(2));
        Assert.Equal(one.Places.Select(place => place.Component), other.Places.Select(place => place.Component));
        Assert.NotEqual(one.Places, other.Places);
        Assert.Equal(one.Places, Plan(mix).Places);
    }

    [Fact]
    public void An_amount_above_what_there_is_needs_repeats()
    {
        Assert.Contains("allow_repeats", MixPlan.Problem(new MixComponent("") { ExampleCount = 11 }, 10), StringComparison.Ordinal);
        Assert.Contains("allow_repeats", MixPlan.Problem(new MixComponent("") { Fraction = 1.2 }, 10), StringComparison.Ordinal);
        Assert.Null(MixPlan.Problem(new MixComponent("") { ExampleCount = 11, AllowsRepeats = true }, 10));
        Assert.Null(MixPlan.Problem(new MixComponent("") { ExampleCount = 10 }, 10));
    }

    [Fact]
    public void A_mix_that_would_never_end_is_refused()
    {
        var mix = new MixSpec { Components = [new("") { Weight = 1e-9 }, new("") { Weight = 1 }], Strategy = MixStrategy.InterleaveUntilAll };
        Assert.Contains("at most", MixPlan.Problem(mix, [Large, Small]), StringComparison.Ordinal);
        Assert.Null(MixPlan.Problem(mix with { ExampleCount = 100 }, [Large, Small]));
    }

    private static MixPlan Plan(MixStrategy strategy, params MixComponent[] components) => Plan(new MixSpec { Components = components, Strategy = strategy });

    private static MixPlan Plan(MixSpec mix) => MixPlan.Of(mix, [Large, Small]);
}
