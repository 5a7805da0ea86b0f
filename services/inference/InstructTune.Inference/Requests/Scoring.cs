using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;

namespace InstructTune.Inference.Requests;

/// <summary>A scored item.</summary>
internal sealed record ItemScore(EncodedScore Item, IReadOnlyList<TokenScore> Tokens);

/// <summary>Scores in request order.</summary>
internal sealed record Scoring(string ModelVersion, WeightForm Form, IReadOnlyList<ItemScore> Items);
