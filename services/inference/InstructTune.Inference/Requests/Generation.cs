using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Requests;

/// <summary>A text that is being made, or several after one prompt.</summary>
internal sealed record Generation(string ModelVersion, ulong Seed, IReadOnlyList<int> PromptIds, Tokenizer Tokenizer, IReadOnlyList<Mailbox> Outputs)
{
    /// <summary>The weights that answer.</summary>
    public required WeightForm Form { get; init; }

    public required Urgency Urgency { get; init; }

    /// <summary>Time stamp.</summary>
    public long Arrived { get; init; }

    public int PromptTokens => PromptIds.Count;
}
