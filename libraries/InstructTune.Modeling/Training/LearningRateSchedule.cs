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

    /// <summary>As the inverse of the square root of the step.</summary>
    InverseSquareRoot,

    /// <summary>A power of the steps that are left, down to <see cref="LearningRateSchedule.EndRate"/>.</summary>
    Polynomial,

    /// <summary>The peak until the last <see cref="LearningRateSchedule.DecaySteps"/>, then down to the floor.</summary>
    WarmupStableDecay,

    /// <summary>Half cosines that each start at the peak again.</summary>
    CosineWithRestarts,

    /// <summary>Half a cosine one step ahead: no step has rate 0, and the last one is at the floor.</summary>
    CosineAhead,
}

/// <summary>The course of a warm-up or of a decay, over its share x of the way.</summary>
public enum RateCurve
{
    /// <summary>x.</summary>
    Linear,

    /// <summary>(1 - cos(pi x)) / 2.</summary>
    Cosine,

    /// <summary>1 - sqrt(1 - x) upwards, 1 - sqrt(x) downwards.</summary>
    SquareRoot,
}

/// <summary>Step to learning rate; pure. The formulas, with their rounding, are those of transformers' <c>optimization.py</c>.</summary>
/// <param name="Shape">How the rate falls.</param>
/// <param name="PeakRate">The rate at the end of warm-up.</param>
/// <param name="TotalSteps">Steps of the stage.</param>
/// <param name="WarmupSteps">Steps of warm-up; but for the shapes that say otherwise, the first of them has rate 0.</param>
/// <param name="MinRatio">Share of the peak at which the schedule ends; shapes without a floor ignore it.</param>
public sealed record LearningRateSchedule(
    ScheduleShape Shape, double PeakRate, long TotalSteps, long WarmupSteps, double MinRatio = 0)
{
    // The timescale of an inverse square root without warm-up.
    private const long DefaultTimescale = 10_000;

    /// <summary>Periods of the cosine; null for half of one, and for one restart.</summary>
    public double? Cycles { get; init; }

    /// <summary>Where a polynomial ends, in the unit of the rate.</summary>
    public double EndRate { get; init; } = 1e-7;

    /// <summary>The exponent of a polynomial.</summary>
    public double Power { get; init; } = 1;

    /// <summary>Steps after which an inverse square root has fallen to 0.7; null for the warm-up, or 10,000 without one.</summary>
    public long? Timescale { get; init; }

    /// <summary>Steps of decay at the end of <see cref="ScheduleShape.WarmupStableDecay"/>.</summary>
    public long DecaySteps { get; init; }

    /// <summary>The course of that decay.</summary>
    public RateCurve DecayCurve { get; init; } = RateCurve.Linear;

    /// <summary>The course of the warm-up of <see cref="ScheduleShape.WarmupStableDecay"/>; all others rise in a line.</summary>
    public RateCurve WarmupCurve { get; init; } = RateCurve.Linear;

    // Of the way from the end of warm-up to the end of the stage; beyond 1 past the end.
    private double Way => Math.Max(1, TotalSteps - WarmupSteps);

    /// <summary>Warm-up steps of a ratio, in fp64 with its rounding errors, as Hugging Face computes them.</summary>
    public static long WarmupFromRatio(long totalSteps, double ratio) => (long)Math.Ceiling(totalSteps * ratio);

    /// <summary>The rate of <paramref name="step"/>, counted from 0.</summary>
    public double Rate(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return PeakRate * (step < WarmupSteps ? Rising(step) : Falling(step));
    }

    private double Rising(long step) => Shape switch
    {
        ScheduleShape.WarmupStableDecay => Math.Max(0, Floored(Up(WarmupCurve, (double)step / Math.Max(1, WarmupSteps)))),
        ScheduleShape.CosineAhead => (step + 1.0) / Math.Max(1, WarmupSteps),
        _ => (double)step / Math.Max(1, WarmupSteps),
    };

    private double Falling(long step) => Shape switch
    {
        ScheduleShape.Constant => 1,
        ScheduleShape.Linear => Floored(Math.Max(0, (TotalSteps - step) / Way)),
        ScheduleShape.Cosine => Floored(Math.Max(0, Cosine((step - WarmupSteps) / Way))),
        ScheduleShape.CosineAhead => Math.Max(0, Floored(Cosine((step - WarmupSteps + 1.0) / Way))),
        ScheduleShape.CosineWithRestarts => Restarting((step - WarmupSteps) / Way),
        ScheduleShape.InverseSquareRoot => InverseSquareRoot(step),
        ScheduleShape.Polynomial => Polynomial(step),
        ScheduleShape.WarmupStableDecay => StableThenDecaying(step),
        _ => throw new InvalidOperationException($"no schedule is named {Shape}"),
    };

    private double Cosine(double way) => 0.5 * (1 + Math.Cos(Math.PI * (Cycles ?? 0.5) * 2.0 * way));

    private double Restarting(double way) =>
        way >= 1 ? 0 : Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * ((Cycles ?? 1) * way % 1))));

    private double InverseSquareRoot(long step)
    {
        var timescale = Timescale ?? (WarmupSteps == 0 ? DefaultTimescale : WarmupSteps);
        return 1 / Math.Sqrt((double)(step + timescale - WarmupSteps) / timescale);
    }

    private double Polynomial(long step)
    {
        if (step > TotalSteps)
        {
            return EndRate / PeakRate;
        }

        var left = 1 - ((step - WarmupSteps) / Way);
        return (((PeakRate - EndRate) * Math.Pow(left, Power)) + EndRate) / PeakRate;
    }

    private double StableThenDecaying(long step)
    {
        var into = step - (TotalSteps - DecaySteps);
        return into < 0 ? 1
            : into >= DecaySteps ? MinRatio
            : Math.Max(0, Floored(Down(DecayCurve, (double)into / Math.Max(1, DecaySteps))));
    }

    private double Floored(double factor) => (factor * (1 - MinRatio)) + MinRatio;

    private static double Up(RateCurve curve, double x) => curve switch
    {
        RateCurve.Cosine => 0.5 * (1 - Math.Cos(Math.PI * x)),
        RateCurve.SquareRoot => 1 - Math.Sqrt(1 - x),
        _ => x,
    };

    private static double Down(RateCurve curve, double x) => curve switch
    {
        RateCurve.Cosine => 0.5 * (1 + Math.Cos(Math.PI * x)),
        RateCurve.SquareRoot => 1 - Math.Sqrt(x),
        _ => 1 - x,
    };
}
