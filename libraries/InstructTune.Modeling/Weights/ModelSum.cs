using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>Weighted sums of models that share a base.</summary>
public static class ModelSum
{
    /// <summary>Adds weight * (component - base) to a model, in place and in float32.</summary>
    /// <exception cref="ModelFormatException">The component has other weights than the base.</exception>
    public static void Add(LlamaModel target, LlamaModel from, LlamaModel component, double weight)
    {
        using var frozen = no_grad();
        var values = component.Parameters.ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);
        var bases = from.Parameters.ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);
        if (values.Keys.Except(bases.Keys, StringComparer.Ordinal).FirstOrDefault() is { } other)
        {
            throw new ModelFormatException("model.safetensors", other, "is not among the weights of the base");
        }

        foreach (var (name, sum) in target.Parameters)
        {
            using var scope = NewDisposeScope();
            if (!values.TryGetValue(name, out var value) || !value.shape.SequenceEqual(sum.shape))
            {
                throw new ModelFormatException("model.safetensors", name, $"is missing or has another shape than the base's [{string.Join(", ", sum.shape)}]");
            }

            sum.add_(value.sub(bases[name]), weight);
        }
    }
}
