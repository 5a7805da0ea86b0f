namespace InstructTune.Modeling.Training;

/// <summary>What becomes of rows that are too long.</summary>
public enum TruncationRule
{
    /// <summary>Cut after the beginning-of-text token, up to the last answer at most; a longer answer is not cut: the row is left out.</summary>
    PromptStart,

    /// <summary>Cut the end.</summary>
    End,

    /// <summary>Leave the row out.</summary>
    Drop,
}

/// <summary>Which tokens carry loss.</summary>
public enum LossTokens
{
    /// <summary>Those of the answers.</summary>
    Response,

    /// <summary>All.</summary>
    All,
}

/// <summary>What the limit did to a row.</summary>
public enum RowFate
{
    /// <summary>Nothing.</summary>
    Whole,

    /// <summary>Cut, and still trained on.</summary>
    Truncated,

    /// <summary>Left out, because it was too long.</summary>
    OverLengthDropped,

    /// <summary>Left out, because no token carries loss.</summary>
    NoTrainedToken,
}

/// <summary>Applies the length limit and the loss scope to a row; pure.</summary>
/// <param name="MaxTokens">The longest row.</param>
/// <param name="Rule">What to do with longer ones.</param>
/// <param name="Loss">Which tokens carry loss.</param>
public sealed record SequenceLimit(int MaxTokens, TruncationRule Rule, LossTokens Loss)
{
    /// <summary>
    /// The row to train on, or null with the reason it is left out. <paramref name="answer"/> marks the tokens of answers;
    /// <paramref name="keepFirst"/> protects a beginning-of-text token from cuts at the start.
    /// </summary>
    public (TokenizedExample? Row, RowFate Fate) Apply(int[] ids, bool[] answer, bool keepFirst)
    {
        var excess = ids.Length - MaxTokens;
        var fate = excess > 0 ? RowFate.Truncated : RowFate.Whole;
        if (excess > 0)
        {
            var first = keepFirst ? 1 : 0;
            if (Rule == TruncationRule.Drop || (Rule == TruncationRule.PromptStart && first + excess > LastAnswerStart(answer)))
            {
                return (null, RowFate.OverLengthDropped);
            }

            (ids, answer) = Rule == TruncationRule.End
                ? (ids[..MaxTokens], answer[..MaxTokens])
                : ([.. ids[..first], .. ids[(first + excess)..]], [.. answer[..first], .. answer[(first + excess)..]]);
        }

        var row = new TokenizedExample(ids, Loss == LossTokens.All ? AllTrue(ids.Length) : answer);
        return row.TrainedTokenCount > 0 ? (row, fate) : (null, RowFate.NoTrainedToken);
    }

    /// <summary>
    /// Cuts a plain text into rows that are trained on whole. Neighbours share one token, so that every token but the first of the text is
    /// predicted exactly once.
    /// </summary>
    public IEnumerable<TokenizedExample> Windows(int[] ids)
    {
        for (var start = 0; start < ids.Length - 1; start += MaxTokens - 1)
        {
            var window = ids[start..Math.Min(start + MaxTokens, ids.Length)];
            yield return new TokenizedExample(window, AllTrue(window.Length));
        }
    }

    private static int LastAnswerStart(bool[] answer)
    {
        var start = Array.LastIndexOf(answer, value: true);
        if (start < 0)
        {
            return answer.Length - 1;
        }

        while (start > 0 && answer[start - 1])
        {
            start--;
        }

        return start;
    }

    private static bool[] AllTrue(int count)
    {
        var marks = new bool[count];
        Array.Fill(marks, value: true);
        return marks;
    }
}
