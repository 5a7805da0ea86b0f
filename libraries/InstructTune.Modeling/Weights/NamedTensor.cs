using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>A tensor under the name it has in files.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The tensor.</param>
public sealed record NamedTensor(string Name, Tensor Value);
