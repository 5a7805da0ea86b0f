using System.Globalization;
using InstructTune.Hosting;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Api;

/// <summary>An adapter that starts from singular vectors cannot have more of them than the weights have.</summary>
internal static class PissaRules
{
    private const string Field = "fine_tune_job.spec.";

    public static bool Concern(FineTuneSpec spec) => spec.Stages.Any(stage => spec.LoraOf(stage) is { Start: LoraStartKind.Pissa });

    /// <param name="spec">Complete.</param>
    /// <param name="config">The model.</param>
    /// <param name="model">What it is called.</param>
    public static void Check(FineTuneSpec spec, LlamaConfig config, string model)
    {
        var violations = new FieldViolations();
        Check(spec.Lora, Field + "method.lora.rank", config, model, violations);
        for (var i = 0; i < spec.Stages.Count; i++)
        {
            Check(spec.Stages[i].Method?.Lora, FormattableString.Invariant($"{Field}stages[{i}].method.lora.rank"), config, model, violations);
        }

        violations.ThrowIfAny();
    }

    private static void Check(LoraSpec? lora, string field, LlamaConfig config, string model, FieldViolations violations)
    {
        if (lora is not { Start: LoraStartKind.Pissa })
        {
            return;
        }

        var (path, rank) = ModelSizes.GreatestRanks(config).Where(module => lora.TargetModules.Any(target => module.Path.EndsWith("." + target, StringComparison.Ordinal)))
            .MinBy(module => module.Rank);
        violations.Check(
            lora.Rank <= rank, field,
            string.Create(CultureInfo.InvariantCulture, $"must be at most {rank} with initialization PISSA: {path} of {model} has no more singular vectors"));
    }
}
