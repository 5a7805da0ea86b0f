namespace InstructTune.Modeling.Prompts;

/// <summary>What one speaker said.</summary>
/// <param name="Role">One of `system`, `user`, `assistant`.</param>
/// <param name="Text">Any text; control tokens that it spells stay text.</param>
/// <param name="Trained">In training: whether an answer carries loss; null means yes.</param>
public sealed record ChatTurn(string Role, string Text, bool? Trained = null)
{
    /// <summary>Instructions for the whole conversation.</summary>
    public const string System = "system";

    /// <summary>Who asks.</summary>
    public const string User = "user";

    /// <summary>Who answers.</summary>
    public const string Assistant = "assistant";
}

/// <summary>A part of a rendered conversation.</summary>
/// <param name="Text">The text.</param>
/// <param name="IsResponse">Whether the model wrote it, or should learn to; an end-of-text token follows it.</param>
/// <param name="IsTrained">Of a response: whether it carries loss.</param>
public sealed record PromptSegment(string Text, bool IsResponse, bool IsTrained = true);

/// <summary>A conversation that no format can render.</summary>
public sealed class ConversationException : Exception
{
    /// <summary>Names the turn, from 0, and the problem.</summary>
    public ConversationException(int turn, string problem)
        : base($"Turn {turn} {problem}")
    {
        Turn = turn;
        Problem = problem;
    }

    /// <summary>Index of the turn, from 0.</summary>
    public int Turn { get; }

    /// <summary>What is wrong, such as `must be of the user`.</summary>
    public string Problem { get; }
}
