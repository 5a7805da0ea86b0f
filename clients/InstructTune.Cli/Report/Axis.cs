using System.Globalization;

namespace InstructTune.Cli.Report;

/// <summary>A linear scale from values to pixels, with ticks at round numbers.</summary>
internal sealed class Axis
{
    private readonly double _min;
    private readonly double _max;
    private readonly double _from;
    private readonly double _to;
    private readonly int _decimals;

    /// <param name="min">Smallest value shown.</param>
    /// <param name="max">Largest value shown.</param>
    /// <param name="from">Pixel of the smallest.</param>
    /// <param name="to">Pixel of the largest.</param>
    /// <param name="wantedTicks">About how many ticks.</param>
    public Axis(double min, double max, double from, double to, int wantedTicks)
    {
        var span = max > min ? max - min : 1;
        var step = RoundStep(span / wantedTicks);
        _min = Math.Floor((min / step) + 1e-9) * step;
        _max = Math.Ceiling((Math.Max(max, min + span) / step) - 1e-9) * step;
        _from = from;
        _to = to;
        _decimals = Math.Max(0, (int)Math.Ceiling(-Math.Log10(step) - 1e-9));
        // Counted, not summed: sums of 0.1 drift.
        var count = (int)Math.Round((_max - _min) / step);
        Ticks = [.. Enumerable.Range(0, count + 1).Select(index => _min + (index * step))];
    }

    public IReadOnlyList<double> Ticks { get; }

    public double Pixel(double value) => _from + ((value - _min) / (_max - _min) * (_to - _from));

    public string Label(double tick) =>
        Math.Round(tick, _decimals + 1).ToString("N" + _decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    // 1, 2 or 5 times a power of ten.
    private static double RoundStep(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return (rough / power) switch
        {
            <= 1 => power,
            <= 2 => 2 * power,
            <= 5 => 5 * power,
            _ => 10 * power,
        };
    }
}
