using InstructTune.Modeling.Training;

namespace InstructTune.Numerics.Tests.Training;

public sealed class LearningRateScheduleTests
{
    private static readonly Dictionary<string, ScheduleShape> Supported = new(StringComparer.Ordinal)
    {
        ["linear"] = ScheduleShape.Linear,
        ["cosine"] = ScheduleShape.Cosine,
        ["cosine_with_min_lr"] = ScheduleShape.Cosine,
        ["constant"] = ScheduleShape.Constant,
        ["constant_with_warmup"] = ScheduleShape.Constant,
    };

    [Fact]
    public void Every_rate_equals_that_of_transformers()
    {
        var checkedCases = 0;
        foreach (var reference in ReferenceOutputs.Json("optim", "schedules.json").GetProperty("cases").EnumerateArray())
        {
            var name = reference.GetProperty("schedule").GetString()!;
            var arguments = reference.GetProperty("arguments");
            if (!Supported.TryGetValue(name, out var shape) || arguments.TryGetProperty("num_cycles", out _))
            {
                continue;
            }

            var peak = reference.GetProperty("base_lr").GetDouble();
            var ratio = arguments.TryGetProperty("min_lr_rate", out var rate) ? rate.GetDouble()
                : arguments.TryGetProperty("min_lr", out var minimum) ? minimum.GetDouble() / peak : 0;
            var warmup = name == "constant" ? 0 : reference.GetProperty("w").GetInt64();
            var schedule = new LearningRateSchedule(shape, peak, reference.GetProperty("T").GetInt64(), warmup, ratio);
            var expected = reference.GetProperty("lr").EnumerateArray().Select(value => value.GetDouble()).ToArray();
            for (var step = 0; step < expected.Length; step++)
            {
                Assert.Equal(expected[step], schedule.Rate(step), 1e-12);
            }

            checkedCases++;
        }

        Assert.NotEqual(0, checkedCases);
    }

    [Fact]
    public void Warmup_steps_of_a_ratio_equal_those_of_transformers()
    {
        foreach (var reference in ReferenceOutputs.Json("optim", "warmup_steps.json").GetProperty("cases").EnumerateArray())
        {
            if (reference.GetProperty("warmup").GetDouble() is < 1 and var ratio)
            {
                Assert.Equal(reference.GetProperty("steps").GetInt64(), LearningRateSchedule.WarmupFromRatio(reference.GetProperty("T").GetInt64(), ratio));
            }
        }
    }

    [Theory]
    [InlineData(300, 0.07, 22)]
    [InlineData(1100, 0.07, 78)]
    [InlineData(100, 0.03, 3)]
    [InlineData(1221, 0.03, 37)]
    public void Warmup_is_rounded_up_in_double_precision(long total, double ratio, long expected) =>
        Assert.Equal(expected, LearningRateSchedule.WarmupFromRatio(total, ratio));

    [Fact]
    public void The_first_step_of_a_warmup_has_rate_zero_and_the_peak_follows_it()
    {
        var schedule = new LearningRateSchedule(ScheduleShape.Cosine, 4, TotalSteps: 100, WarmupSteps: 4);

        Assert.Equal([0, 1, 2, 3, 4], Enumerable.Range(0, 5).Select(step => schedule.Rate(step)));
    }
}
