using System.Text.Json;
using InstructTune.Modeling.Training;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Training;

[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class LearningRateScheduleTests
{
    private static readonly Dictionary<string, ScheduleShape> Shapes = new(StringComparer.Ordinal)
    {
        ["linear"] = ScheduleShape.Linear,
        ["cosine"] = ScheduleShape.Cosine,
        ["cosine_with_min_lr"] = ScheduleShape.Cosine,
        ["cosine_warmup_with_min_lr"] = ScheduleShape.CosineAhead,
        ["cosine_with_restarts"] = ScheduleShape.CosineWithRestarts,
        ["constant"] = ScheduleShape.Constant,
        ["constant_with_warmup"] = ScheduleShape.Constant,
        ["inverse_sqrt"] = ScheduleShape.InverseSquareRoot,
        ["polynomial"] = ScheduleShape.Polynomial,
        ["warmup_stable_decay"] = ScheduleShape.WarmupStableDecay,
    };

    private static readonly Dictionary<string, RateCurve> Curves = new(StringComparer.Ordinal)
    {
        ["linear"] = RateCurve.Linear,
        ["cosine"] = RateCurve.Cosine,
        ["1-sqrt"] = RateCurve.SquareRoot,
    };

    [Fact]
    public void Every_rate_equals_that_of_transformers()
    {
        var cases = ReferenceOutputs.Json("optim", "schedules.json").GetProperty("cases").EnumerateArray().ToArray();
        Assert.NotEmpty(cases);
        foreach (var reference in cases)
        {
            var schedule = Schedule(reference);
            var expected = reference.GetProperty("lr").EnumerateArray().Select(value => value.GetDouble()).ToArray();
            for (var step = 0; step < expected.Length; step++)
            {
                Parity.Within(
                    "schedules", $"{reference.GetProperty("schedule")} {reference.GetProperty("arguments")} {schedule.TotalSteps}/{schedule.WarmupSteps}/{schedule.PeakRate} step {step}",
                    Math.Abs(expected[step] - schedule.Rate(step)) / schedule.PeakRate, 1e-12);
            }
        }
    }

    private static LearningRateSchedule Schedule(JsonElement reference)
    {
        var name = reference.GetProperty("schedule").GetString()!;
        var peak = reference.GetProperty("base_lr").GetDouble();
        var arguments = reference.GetProperty("arguments");
        double? Number(string key) => arguments.TryGetProperty(key, out var value) ? value.GetDouble() : null;
        RateCurve Curve(string key, RateCurve standard) => arguments.TryGetProperty(key, out var value) ? Curves[value.GetString()!] : standard;

        var ratio = Number("min_lr_rate") ?? Number("min_lr_ratio") ?? (Number("min_lr") / peak) ?? 0;
        var warmup = name == "constant" ? 0 : reference.GetProperty("w").GetInt64();
        return new LearningRateSchedule(Shapes[name], peak, reference.GetProperty("T").GetInt64(), warmup, ratio)
        {
            Cycles = Number("num_cycles"),
            EndRate = Number("lr_end") ?? 1e-7,
            Power = Number("power") ?? 1,
            Timescale = (long?)Number("timescale"),
            DecaySteps = (long)(Number("num_decay_steps") ?? 0),
            DecayCurve = Curve("decay_type", RateCurve.Cosine),
            WarmupCurve = Curve("warmup_type", RateCurve.Linear),
        };
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
