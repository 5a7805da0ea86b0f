namespace InstructTune.Modeling.Training;

/// <summary>How the rate falls after warm-up.</summary>
public enum ScheduleShape
{
    /// <summary>Half a cosine.</summary>
    Cosine,

    /// <summary>A straight line.</summary>
    Linear,

    /// <summary>Not at all.</summary>
    Constant,
}

/// <summary>Step to learning rate; pure.</summary>
/// <param name="Shape">How the rate falls.</param>
/// <param name="PeakRate">The rate at the end of warm-up.</param>
/// <param name="TotalSteps">Steps of the stage.</param>
/// <param name="WarmupSteps">Steps of linear warm-up; the first of them has rate 0.</param>
/// <param name="MinRatio">Share of the peak at which the schedule ends; the constant shape ignores it.</param>
public sealed record LearningRateSchedule(
    ScheduleShape Shape, double PeakRate, long TotalSteps, long WarmupSteps, double MinRatio = 0)
{
    /// <summary>Warm-up steps of a ratio, in fp64 with its rounding errors, as Hugging Face computes them.</summary>
    public static long WarmupFromRatio(long totalSteps, double ratio) => (long)Math.Ceiling(totalSteps * ratio);

    /// <summary>The rate of <paramref name="step"/>, counted from 0.</summary>
    public double Rate(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return PeakRate * Factor(step);
    }

    private double Factor(long step)
    {
        if (step < WarmupSteps)
        {
            return (double)step / Math.Max(1, WarmupSteps);
        }

        var falling = (double)Math.Max(1, TotalSteps - WarmupSteps);
        return Shape switch
        {
            ScheduleShape.Constant => 1,
            ScheduleShape.Linear => Floored(Math.Max(0, (TotalSteps - step) / falling)),
            ScheduleShape.Cosine => Floored(Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * ((step - WarmupSteps) / falling))))),
            _ => throw new InvalidOperationException($"no schedule is named {Shape}"),
        };
    }

    private double Floored(double factor) => (factor * (1 - MinRatio)) + MinRatio;
}
