using InstructTune.Trainer.Registry;

namespace InstructTune.Trainer.FineTuning;

/// <summary>What may become of weights between stages. Pure.</summary>
internal static class StageTransitions
{
    /// <summary>Writes in the defaults: parameters that are trained in both stages are trained on; else what was trained becomes the base.</summary>
    /// <param name="spec">Complete but for the transitions.</param>
    /// <param name="adapter">The base, where it is an adapter.</param>
    public static FineTuneSpec Complete(FineTuneSpec spec, AdapterFacts? adapter) => spec with
    {
        Stages =
        [
            .. spec.Stages.Select((stage, i) => stage with
            {
                Transition = stage.Transition ?? (i == 0 && adapter is null ? null
                    : IsSame(spec, i, adapter) ? StageTransition.Continue
                    : StageTransition.MergeThenNew),
            }),
        ],
    };

    /// <summary>Why the transition of a stage cannot be; null where it can.</summary>
    public static string? Problem(FineTuneSpec spec, int index, AdapterFacts? adapter)
    {
        var (hadAdapter, hasAdapter) = (index == 0 ? adapter is not null : LoraBefore(spec, index) is not null, spec.LoraOf(spec.Stages[index]) is not null);
        return spec.Stages[index].Transition switch
        {
            null => null,
            _ when index == 0 && adapter is null => "must be empty in the first stage unless base_model is an adapter",
            StageTransition.Stack when HasQuantizedBase(spec, index) || (index > 0 && HasQuantizedBase(spec, index - 1)) =>
                "cannot be STACK with qlora: four-bit weights take no frozen adapter in, and codes of merged weights are others; use CONTINUE or MERGE_THEN_NEW",
            StageTransition.Continue when spec.LoraOf(spec.Stages[index]) is { Start: LoraStartKind.Pissa } && index == 0 =>
                "cannot be CONTINUE with the initialization PISSA, which begins a new adapter; use MERGE_THEN_NEW",
            StageTransition.Continue when !IsSame(spec, index, adapter) =>
                "cannot be CONTINUE where the stage trains other parameters than were trained before; leave it empty, or give both the same method",
            StageTransition.MergeThenNew when !hadAdapter && !hasAdapter && IsSame(spec, index, adapter) => "must be empty or CONTINUE between stages that train the same weights",
            StageTransition.Stack when !hadAdapter || !hasAdapter => "can be STACK only between adapters",
            StageTransition.Stack when spec.LoraOf(spec.Stages[index])!.WeightDecomposed || LoraBefore(spec, index) is { WeightDecomposed: true } =>
                "cannot be STACK with weight_decomposed: such adapters do not add up to one; use MERGE_THEN_NEW",
            _ => null,
        };
    }

    private static bool HasQuantizedBase(FineTuneSpec spec, int index) => spec.LoraOf(spec.Stages[index]) is { QuantizesBase: true };

    private static LoraSpec? LoraBefore(FineTuneSpec spec, int index) => index == 0 ? null : spec.LoraOf(spec.Stages[index - 1]);

    private static bool IsSame(FineTuneSpec spec, int index, AdapterFacts? adapter)
    {
        var lora = spec.LoraOf(spec.Stages[index]);
        if (index == 0)
        {
            return lora is { Start: not LoraStartKind.Pissa } && adapter is not null && lora.Rank == adapter.Rank && lora.Alpha.Equals(adapter.Alpha)
                && lora.RankStabilized == adapter.RankStabilized && lora.WeightDecomposed == adapter.WeightDecomposed && lora.TargetModules.ToHashSet(StringComparer.Ordinal).SetEquals(adapter.TargetModules);
        }

        var before = LoraBefore(spec, index);
        return lora is null || before is null
            ? lora is null && before is null && spec.MethodOf(spec.Stages[index]).Freeze == spec.MethodOf(spec.Stages[index - 1]).Freeze
            : lora with { TargetModules = before.TargetModules } == before && lora.TargetModules.SequenceEqual(before.TargetModules);
    }
}
