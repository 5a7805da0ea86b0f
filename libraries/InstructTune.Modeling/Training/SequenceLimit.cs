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

    /// <summary>
    /// As LLaMA-Factory does: from the first exchange on, cut the ends of prompt and answer in proportion to their lengths, and lose the
    /// exchanges that no room is left for. From the last exchange on where only the last answer carries loss.
    /// </summary>
    Proportional,

    /// <summary>Nothing: a row that is too long fails the job.</summary>
    Fail,
}

/// <summary>Which tokens carry loss.</summary>
public enum LossTokens
{
    /// <summary>Those of the answers.</summary>
    Response,

    /// <summary>All.</summary>
    All,

    /// <summary>Those of the last answer.</summary>
    LastResponse,
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

    /// <summary>Too long, where that fails the job.</summary>
    Refused,
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

            if (Rule == TruncationRule.Fail)
            {
                return (null, RowFate.Refused);
            }

            (ids, answer) = Rule switch
            {
                TruncationRule.End => (ids[..MaxTokens], answer[..MaxTokens]),
                TruncationRule.Proportional => Proportional(ids, answer),
                _ => Without(ids, answer, [(first, first + excess)]),
            };
        }

        var row = new TokenizedExample(ids, Loss switch
        {
            LossTokens.All => AllTrue(ids.Length),
            LossTokens.LastResponse => LastOnly(answer),
            _ => answer,
        });
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

    private (int[] Ids, bool[] Answer) Proportional(int[] ids, bool[] answer)
    {
        var lastOnly = Loss == LossTokens.LastResponse;
        return Without(ids, lastOnly ? LastOnly(answer) : answer, ProportionalCuts.Of(answer, MaxTokens, lastFirst: lastOnly));
    }

    private static (int[] Ids, bool[] Answer) Without(int[] ids, bool[] answer, (int From, int To)[] cuts)
    {
        int[] kept = [.. Enumerable.Range(0, ids.Length).Where(i => !Array.Exists(cuts, cut => i >= cut.From && i < cut.To))];
        return ([.. kept.Select(i => ids[i])], [.. kept.Select(i => answer[i])]);
    }

    private static bool[] LastOnly(bool[] answer)
    {
        var start = LastAnswerStart(answer);
        return [.. answer.Select((isAnswer, i) => isAnswer && i >= start)];
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
