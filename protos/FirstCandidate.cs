namespace InstructTune.V1;

/// <summary>The only candidate, for callers that ask for one.</summary>
public sealed partial class GenerateResponse
{
    public string Text => First.Text;

    public FinishReason FinishReason => First.FinishReason;

    public string StopSequence => First.StopSequence;

    public Google.Protobuf.Collections.RepeatedField<int> TokenIds => First.TokenIds;

    private Types.Candidate First => Candidates[0];
}
