// Shape letters in this file:
//   O outputs   I inputs   R rank

using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>
/// PiSSA: an adapter starts as the principal part of the weights it adapts, and the base is left with the rest. What was trained so is
/// written as an ordinary adapter of twice the rank over the whole base: A' = [A; A0], B' = [B, -B0], where A0 and B0 are the start.
/// </summary>
public static class PissaConversion
{
    /// <summary>Takes the start of the adapter out of the base, in place. The adapter fits this base, and no other.</summary>
    /// <exception cref="InvalidOperationException">The weights are not float32.</exception>
    public static void MakeResidual(LlamaModel model, LoraConfig config)
    {
        if (model.Format != BaseFormat.Fp32)
        {
            throw new InvalidOperationException($"PiSSA takes the principal part out of float32 weights; these are kept as {model.Format}.");
        }

        using var frozen = no_grad();
        foreach (var module in Targets(model, config))
        {
            using var scope = NewDisposeScope();
            var (a_RI, b_OR) = Start(model, config, module.Path);
            var weight_OI = model.Read(module.Path + ".weight");
            model.Write(module.Path + ".weight", weight_OI.sub(b_OR.mm(a_RI).mul_(config.ScaleOf(module.Path))));
        }
    }

    /// <summary>The same for an adapter that was just made over the model and has not been trained: nothing is decomposed again.</summary>
    /// <exception cref="InvalidOperationException">The weights are not float32.</exception>
    public static void MakeResidual(LlamaModel model, LoraAdapter start)
    {
        if (model.Format != BaseFormat.Fp32)
        {
            throw new InvalidOperationException($"PiSSA takes the principal part out of float32 weights; these are kept as {model.Format}.");
        }

        using var frozen = no_grad();
        foreach (var module in start.Modules.Values)
        {
            using var scope = NewDisposeScope();
            var weight_OI = model.Read(module.Path + ".weight");
            model.Write(module.Path + ".weight", weight_OI.sub(module.B_OR.mm(module.A_RI).mul_(module.Scale)));
        }
    }

    /// <summary>The ordinary adapter that does over the base what the PiSSA adapter does over its residual. The caller disposes it.</summary>
    /// <param name="model">Of the base.</param>
    /// <param name="adapter">The PiSSA adapter.</param>
    /// <param name="start">What it was before its training.</param>
    /// <exception cref="ModelFormatException">It cannot be written so.</exception>
    public static LoraAdapter ToOrdinary(LlamaConfig model, LoraAdapter adapter, LoraAdapter start) =>
        ToOrdinary(model, adapter, path => (start.Modules[path].A_RI, start.Modules[path].B_OR));

    /// <summary>The ordinary adapter that does over the base what the PiSSA adapter does over its residual. The caller disposes it.</summary>
    /// <param name="model">The base, whole and in float32, as it was when the adapter's training began.</param>
    /// <param name="adapter">The PiSSA adapter.</param>
    /// <exception cref="ModelFormatException">It cannot be written so.</exception>
    public static LoraAdapter ToOrdinary(LlamaModel model, LoraAdapter adapter) =>
        ToOrdinary(model.Config, adapter, path => Start(model, adapter.Config, path));

    private static LoraAdapter ToOrdinary(LlamaConfig model, LoraAdapter adapter, Func<string, (Tensor A_RI, Tensor B_OR)> startOf)
    {
        var config = adapter.Config;
        if (config.UseRsLora && (config.RankPattern.Count > 0 || config.AlphaPattern.Count > 0))
        {
            throw new ModelFormatException("adapter_config.json", "use_rslora", "a PiSSA adapter with it and with patterns cannot be written as an ordinary one: the scale would change");
        }

        using var frozen = no_grad();
        var converted = Doubled(config);
        var tensors = new List<(PlannedTensor, Tensor)>();
        foreach (var plan in AdapterPlan.Of(model, converted))
        {
            using var scope = NewDisposeScope();
            var own = adapter.Find(plan.Part, plan.Module)!;
            var value = plan.Part switch
            {
                AdapterPart.A => cat([own, startOf(plan.Module).A_RI], 0),
                AdapterPart.B => cat([own, startOf(plan.Module).B_OR.neg()], 1),
                _ => own.detach().clone(),
            };
            tensors.Add((plan, value.MoveToOuterDisposeScope()));
        }

        return new LoraAdapter(converted, tensors);
    }

    /// <summary>The start of a module: s B A is the part of its weight with the greatest singular values.</summary>
    internal static (Tensor A_RI, Tensor B_OR) Start(LlamaModel model, LoraConfig config, string path)
    {
        if (path == AdapterPlan.Head && model.Config.TiedEmbeddings)
        {
            throw new ModelFormatException("adapter_config.json", "target_modules", "the output head is the embedding, which cannot lose its principal part to a PiSSA adapter");
        }

        using var scope = NewDisposeScope();
        var rank = config.RankOf(path);
        var (u_OO, s_O, v_OI) = linalg.svd(model.Read(path + ".weight"), fullMatrices: false);
        var root_R = s_O.narrow(0, 0, rank).div(config.ScaleOf(path)).sqrt();
        return (
            (root_R.unsqueeze(1) * v_OI.narrow(0, 0, rank)).MoveToOuterDisposeScope(),
            (u_OO.narrow(1, 0, rank) * root_R).contiguous().MoveToOuterDisposeScope());
    }

    private static IEnumerable<LinearModule> Targets(LlamaModel model, LoraConfig config) =>
        LinearModule.Of(model.Config).Append(LinearModule.Head(model.Config)).Where(m => ModuleMatch.Targets(config, m.Path));

    private static LoraConfig Doubled(LoraConfig config) => config with
    {
        Start = LoraStart.Uniform,
        Rank = 2 * config.Rank,
        Alpha = (config.UseRsLora ? Math.Sqrt(2) : 2) * config.Alpha,
        RankPattern = [.. config.RankPattern.Select(p => KeyValuePair.Create(p.Key, 2 * p.Value))],
        AlphaPattern = [.. config.AlphaPattern.Select(p => KeyValuePair.Create(p.Key, 2 * p.Value))],
    };
}
