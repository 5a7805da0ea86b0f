namespace InstructTune.Evaluation.Comparisons;

/// <summary>Two runs that cannot be paired example by example.</summary>
internal sealed class RunsNotComparableException : Exception
{
    /// <summary>The runs differ in what must be equal.</summary>
    public RunsNotComparableException(string baseline, string run, string difference)
        : base($"{run} cannot be paired with {baseline}: it has another {difference}. Compare runs of one suite, prompt format and seed of the subset.") =>
        (Run, Difference) = (run, difference);

    /// <summary>A run that did not succeed.</summary>
    public RunsNotComparableException(string run, string state)
        : base($"{run} is {state}: only runs that SUCCEEDED can be compared.") => (Run, Difference) = (run, "state");

    public string Run { get; }

    /// <summary>What differs.</summary>
    public string Difference { get; }
}
