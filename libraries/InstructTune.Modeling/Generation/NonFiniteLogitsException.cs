namespace InstructTune.Modeling.Generation;

/// <summary>A row of logits from which no token can be chosen: it holds NaN or +infinity, or nothing but -infinity.</summary>
public sealed class NonFiniteLogitsException : Exception
{
    /// <summary>Names what was found.</summary>
    public NonFiniteLogitsException(string message)
        : base(message)
    {
    }
}
