namespace InstructTune.SyntheticWorld.Operations;

/// <summary>What an answer looks like.</summary>
public enum AnswerFormat
{
    Label,
    Span,
    List,
    YesNo,
}
