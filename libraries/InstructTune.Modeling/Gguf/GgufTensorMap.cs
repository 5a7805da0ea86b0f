using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>Every weight of the model beside the tensor of the file that holds it.</summary>
internal static class GgufTensorMap
{
    public static IReadOnlyList<(PlannedWeight Weight, GgufTensor Tensor)> Of(GgufReader reader, LlamaConfig config)
    {
        var result = new List<(PlannedWeight, GgufTensor)>();
        var expected = new HashSet<string>(StringComparer.Ordinal) { GgufNames.RotaryFactors };
        foreach (var weight in WeightPlan.Of(config))
        {
            var name = GgufNames.OfHuggingFace(weight.Name);
            expected.Add(name);
            var tensor = reader.Find(name) ?? throw new ModelFormatException(reader.FileName, name, "the tensor is missing");
            if (!tensor.Shape.SequenceEqual(weight.Shape))
            {
                throw new ModelFormatException(
                    reader.FileName, name, $"has shape {TensorEntry.ShapeToText(tensor.Shape)}; the metadata asks for {TensorEntry.ShapeToText(weight.Shape)}");
            }

            result.Add((weight, tensor));
        }

        return reader.Tensors.FirstOrDefault(t => !expected.Contains(t.Name)) is { } extra
            ? throw new ModelFormatException(reader.FileName, extra.Name, "the tensor is unexpected: the metadata describes no such tensor")
            : result;
    }
}
