using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Generation;

/// <summary>The text of one sequence as it is made: ids in, text that is certain out, until a stop condition holds.</summary>
public sealed class OutputText
{
    private readonly StopConditions conditions;
    private readonly TextStream stream;
    private readonly StopMatcher matcher;

    /// <summary>A text before the first token.</summary>
    public OutputText(Tokenizer tokenizer, StopConditions conditions)
    {
        this.conditions = conditions;
        stream = new TextStream(tokenizer);
        matcher = new StopMatcher(conditions.StopSequences);
    }

    /// <summary>Tokens so far, that of the end included.</summary>
    public int TokenCount { get; private set; }

    /// <summary>Why the text ended; <see cref="StopReason.None"/> while it goes on.</summary>
    public StopReason Reason { get; private set; }

    /// <summary>The stop sequence that ended the text, if one did.</summary>
    public string? StopSequence => matcher.Matched;

    /// <summary>Takes the next token and returns the text that is certain now. Joining all of it gives the whole text.</summary>
    public string Append(int id)
    {
        if (Reason != StopReason.None)
        {
            throw new InvalidOperationException("The text has ended.");
        }

        TokenCount++;
        Reason = conditions.OfToken(id, TokenCount);
        if (Reason != StopReason.None)
        {
            // The token that ends a text is not part of it. What is held back cannot become a stop sequence any more.
            return matcher.Append(stream.Flush(), mayEnd: false) + matcher.Flush();
        }

        var text = matcher.Append(stream.Append(id), conditions.MayStop(TokenCount));
        if (matcher.Matched is null && conditions.IsFull(TokenCount))
        {
            text += matcher.Append(stream.Flush(), conditions.MayStop(TokenCount));
            Reason = StopReason.Length;
        }

        Reason = matcher.Matched is null ? Reason : StopReason.StopSequence;
        return Reason == StopReason.Length ? text + matcher.Flush() : text;
    }
}
