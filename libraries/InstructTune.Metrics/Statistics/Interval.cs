namespace InstructTune.Metrics.Statistics;

/// <summary>A closed interval of plausible values.</summary>
/// <param name="Lower">The least.</param>
/// <param name="Upper">The greatest.</param>
public readonly record struct Interval(double Lower, double Upper)
{
    /// <summary>Whether every value lies strictly within the margin around 0.</summary>
    public bool IsWithin(double margin) => Lower > -margin && Upper < margin;

    internal Interval Clamp(double least, double greatest) => new(Math.Clamp(Lower, least, greatest), Math.Clamp(Upper, least, greatest));
}
