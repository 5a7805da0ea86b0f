using System.Globalization;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Estimation;

/// <summary>One change of the spec.</summary>
/// <param name="FieldPath">What to change.</param>
/// <param name="Value">To what.</param>
/// <param name="PeakBytes">What the stage takes then.</param>
internal sealed record Remedy(string FieldPath, string Value, long PeakBytes = 0);

/// <summary>Single changes by which a stage takes less memory, those first that change the result least.</summary>
internal static class SmallerSpecs
{
    public static IEnumerable<(Remedy Remedy, FineTuneSpec Spec)> Of(FineTuneSpec spec, int index)
    {
        var stage = spec.Stages[index];
        return Changes(spec, stage).Select(change => (
            new Remedy($"stages[{stage.StageId}].{change.Field}", change.Value),
            spec with { Stages = [.. spec.Stages.Select((other, at) => at == index ? change.Stage : other)] }));
    }

    private static IEnumerable<(string Field, string Value, StageSpec Stage)> Changes(FineTuneSpec spec, StageSpec stage)
    {
        if (stage.GradientCheckpointing == false)
        {
            yield return ("gradient_checkpointing", "true", stage with { GradientCheckpointing = true });
        }

        for (var rows = stage.MicroBatchSize / 2; rows >= 1; rows /= 2)
        {
            if (stage.BatchSize % rows == 0)
            {
                yield return ("micro_batch_size", rows.ToString(CultureInfo.InvariantCulture), stage with { MicroBatchSize = rows });
            }
        }

        if (stage.Optimizer == OptimizerKind.AdamW)
        {
            yield return ("optimizer.type", "TYPE_ADAMW_8BIT", stage with { Optimizer = OptimizerKind.AdamW8Bit });
        }

        if (spec.MethodOf(stage).Lora is not { QuantizesBase: true })
        {
            var asked = spec.MethodOf(stage).Lora;
            var lora = SpecCompletion.Complete(asked ?? new LoraSpec());
            if (asked is null)
            {
                yield return ("method", "lora", stage with { Method = new MethodSpec(lora) });
            }

            yield return ("method.qlora", "nf4", stage with { Method = new MethodSpec(lora with { QuantizesBase = true }) });
        }
    }
}
