using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>A tensor with the name it has in files.</summary>
/// <param name="Name">Such as <c>model.norm.weight</c>.</param>
/// <param name="Value">The tensor; not owned.</param>
public sealed record NamedTensor(string Name, Tensor Value);
