using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Generation;

/// <summary>The text of one sequence as it is made: ids in, text that is certain out, until a stop condition holds.</summary>
public sealed class OutputText
{
    private readonly StopConditions _conditions;
    private readonly TextStream _stream;
    private readonly StopMatcher _matcher;

    /// <summary>A text before the first token.</summary>
    public OutputText(Tokenizer tokenizer, StopConditions conditions)
    {
        _conditions = conditions;
        _stream = new TextStream(tokenizer);
        _matcher = new StopMatcher(conditions.StopSequences, conditions.IncludeStopSequence);
    }

    /// <summary>Tokens so far, that of the end included.</summary>
    public int TokenCount { get; private set; }

    /// <summary>Why the text ended; <see cref="StopReason.None"/> while it goes on.</summary>
    public StopReason Reason { get; private set; }

    /// <summary>The stop sequence that ended the text, if one did.</summary>
    public string? StopSequence => _matcher.Matched;

    /// <summary>Takes the next token and returns the text that is certain now. Joining all of it gives the whole text.</summary>
    public string Append(int id)
    {
        if (Reason != StopReason.None)
        {
            throw new InvalidOperationException("The text has ended.");
        }

        TokenCount++;
        Reason = _conditions.OfToken(id, TokenCount);
        if (Reason != StopReason.None)
        {
            // The token that ends a text is not part of it. What is held back cannot become a stop sequence any more.
            return _matcher.Append(_stream.Flush(), mayEnd: false) + _matcher.Flush();
        }

        var text = _matcher.Append(_stream.Append(id), _conditions.MayStop(TokenCount));
        if (_matcher.Matched is null && _conditions.IsFull(TokenCount))
        {
            text += _matcher.Append(_stream.Flush(), _conditions.MayStop(TokenCount));
            Reason = StopReason.Length;
        }

        Reason = _matcher.Matched is null ? Reason : StopReason.StopSequence;
        return Reason == StopReason.Length ? text + _matcher.Flush() : text;
    }
}
