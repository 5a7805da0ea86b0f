namespace InstructTune.Metrics.Statistics;

/// <summary>What the evidence says of a candidate against a baseline.</summary>
public enum Verdict
{
    /// <summary>Neither a difference nor equality is shown.</summary>
    Undecided,

    /// <summary>A difference above 0 is shown.</summary>
    Better,

    /// <summary>A difference below 0 is shown.</summary>
    Worse,

    /// <summary>No difference, and the whole 90% interval lies within the margin.</summary>
    Equivalent,
}

/// <summary>A verdict, and whether the difference that it shows is too small to matter.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="BelowMargin">Better or worse, with the whole 95% interval within the margin.</param>
public readonly record struct Judgement(Verdict Verdict, bool BelowMargin)
{
    private const double FalseDiscoveryRate = 0.05;

    /// <summary>Judges a comparison by its adjusted p value and its intervals.</summary>
    public static Judgement Of(PairedComparison comparison, double adjustedP, double margin)
    {
        if (adjustedP <= FalseDiscoveryRate && comparison.Difference != 0)
        {
            var verdict = comparison.Difference > 0 ? Verdict.Better : Verdict.Worse;
            return new Judgement(verdict, comparison.Interval95.IsWithin(margin));
        }
        return new Judgement(comparison.Interval90.IsWithin(margin) ? Verdict.Equivalent : Verdict.Undecided, BelowMargin: false);
    }
}
