namespace InstructTune.Modeling.Serving;

/// <summary>One new token of a sequence.</summary>
/// <param name="Id">The token.</param>
/// <param name="Token">Its index in the sequence: the number of tokens before it.</param>
/// <param name="FirstPlace">Where the sequence begins in the cache.</param>
/// <param name="WantsLogits">Whether somebody reads the logits that follow it.</param>
public readonly record struct KernelRow(int Id, int Token, long FirstPlace, bool WantsLogits)
{
    /// <summary>Its rotary position where that is not its index.</summary>
    public int? GivenPosition { get; init; }

    internal int Position => GivenPosition ?? Token;
}

/// <summary>Rows of one adapter that follow each other in a step.</summary>
/// <param name="Adapter">The adapter.</param>
/// <param name="From">First row.</param>
/// <param name="To">One past the last.</param>
public readonly record struct AdapterRun(KernelAdapter Adapter, int From, int To);
