using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>Several adapters of one base as one: <c>s1 B1 A1 + s2 B2 A2 = [s1 B1, s2 B2] [A1; A2]</c>, exactly, of the sum of their ranks.</summary>
public static class LoraConcatenation
{
    /// <summary>The adapter that does what all of them do together; the scales are in its B, so that its own is 1.</summary>
    /// <param name="model">Configuration of the base.</param>
    /// <param name="adapters">Plain adapters, at least one.</param>
    /// <param name="baseName">What the base is called.</param>
    /// <exception cref="ModelFormatException">One of them is more than A and B on linear layers.</exception>
    public static LoraAdapter Of(LlamaConfig model, IReadOnlyList<LoraAdapter> adapters, string? baseName)
    {
        if (adapters.Select(adapter => adapter.Config.SharingObstacle).FirstOrDefault(obstacle => obstacle is not null) is { } found)
        {
            throw new ModelFormatException("adapter_config.json", found, "adapters with it do not add up to one adapter");
        }

        var ranks = adapters.Select(adapter => adapter.Modules.Values.Max(module => module.Rank)).ToArray();
        var rank = ranks.Sum();
        var config = new LoraConfig
        {
            Rank = rank,
            Alpha = rank,
            TargetModules = [.. LoraConfig.AllLinear.Where(name => adapters.Any(adapter => adapter.Modules.Keys.Any(path => ModuleMatch.IsNamed(path, name))))],
            BaseModelName = baseName,
        };
        using var frozen = no_grad();
        return new LoraAdapter(config, [.. AdapterPlan.Of(model, config).Select(plan => (plan, Join(plan, adapters, ranks)))]);
    }

    // An adapter without the module, or of less rank there, adds nothing: rows and columns of zeros.
    private static Tensor Join(PlannedTensor plan, IReadOnlyList<LoraAdapter> adapters, int[] ranks)
    {
        using var scope = NewDisposeScope();
        var dimension = plan.Part == AdapterPart.A ? 0 : 1;
        var joined = zeros(plan.Shape, ScalarType.Float32);
        var start = 0L;
        for (var i = 0; i < adapters.Count; i++)
        {
            if (adapters[i].Modules.TryGetValue(plan.Module, out var module))
            {
                joined.narrow(dimension, start, module.Rank).copy_(plan.Part == AdapterPart.A ? module.A_RI : module.B_OR * module.Scale);
            }

            start += ranks[i];
        }

        return joined.MoveToOuterDisposeScope();
    }
}
