using InstructTune.Evaluation.Suites;

namespace InstructTune.Evaluation.Runs;

/// <summary>
/// A model that answers. A call waits for a service that is away or overloaded; a model that is gone fails the job.
/// </summary>
internal interface IAnswerer
{
    /// <exception cref="QuestionRefusedException">This question alone cannot be answered.</exception>
    Task<GeneratedText> GenerateAsync(string modelVersion, Question question, SuiteTask task, ulong seed, CancellationToken ct);

    /// <summary>Log-probabilities of the question's choices, in their order.</summary>
    /// <exception cref="QuestionRefusedException">This question alone cannot be answered.</exception>
    Task<IReadOnlyList<double>> ScoreChoicesAsync(string modelVersion, Question question, CancellationToken ct);
}

/// <summary>A generated answer and why it ended.</summary>
internal sealed record GeneratedText(string Text, Ending Ending);

/// <summary>Why a generated answer ended.</summary>
internal enum Ending
{
    /// <summary>Nothing was generated.</summary>
    None,
    EndOfText,
    StopSequence,
    StopToken,
    Length,
}

/// <summary>The model cannot take this question, but may take others.</summary>
internal sealed class QuestionRefusedException(string reason, string message) : Exception(message)
{
    /// <summary>A stable name, such as PROMPT_TOO_LONG.</summary>
    public string Reason { get; } = reason;
}
