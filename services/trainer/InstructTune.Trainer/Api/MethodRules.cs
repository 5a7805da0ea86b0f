using InstructTune.Hosting;
using InstructTune.Trainer.FineTuning;
using Types = InstructTune.V1.FineTuneSpec.Types;

namespace InstructTune.Trainer.Api;

/// <summary>What the methods of a request must satisfy, in the spec and in every stage.</summary>
internal static class MethodRules
{
    private const int MaxModules = 64;

    public static void Check(V1.FineTuneSpec spec, FieldViolations violations, string field)
    {
        violations.Check(Enum.IsDefined(spec.Precision), field + "precision", "must be one that this server knows");
        Check(spec.Method, spec.Precision, violations, field + "method");
        for (var i = 0; i < spec.Stages.Count; i++)
        {
            Check(spec.Stages[i].Method, spec.Precision, violations, FormattableString.Invariant($"{field}stages[{i}].method"));
        }

        violations.Check(
            spec.Precision != Types.Precision.PureBfloat16 || !spec.Stages.Select(stage => stage.Method ?? spec.Method).Any(IsAdapter),
            field + "precision", "can be PURE_BFLOAT16 only where all stages train full or freeze: adapters are float32");
    }

    private static bool IsAdapter(Types.TrainingMethod? method) => method is null or { Lora: not null } or { Qlora: not null };

    private static void Check(Types.TrainingMethod? method, Types.Precision precision, FieldViolations violations, string field)
    {
        if (method is null)
        {
            return;
        }

        violations.Check(method.MethodCase != Types.TrainingMethod.MethodOneofCase.None, field, "must be full, freeze, lora or qlora");
        Check(method.Freeze, violations, field + ".freeze");
        Check(method.Lora, violations, field + ".lora.");
        Check(method.Qlora?.Lora, violations, field + ".qlora.lora.");
        violations
            .Check(method.Qlora is null || Enum.IsDefined(method.Qlora.Quantization), field + ".qlora.quantization", "is not known")
            .Check(
                method.Qlora?.Lora is not { Initialization: Types.LoraMethod.Types.Initialization.Pissa },
                field + ".qlora.lora.initialization", "cannot be PISSA: the codes of the residual base are not those of the base, so the result would fit neither; use lora")
            .Check(
                method.Lora is not { Initialization: Types.LoraMethod.Types.Initialization.Pissa } || precision is Types.Precision.Unspecified or Types.Precision.Float32,
                field + ".lora.initialization", "can be PISSA with precision FLOAT32 only: the residual base would be rounded apart from the base");
    }

    private static void Check(Types.FreezeMethod? freeze, FieldViolations violations, string field)
    {
        if (freeze is null)
        {
            return;
        }

        violations
            .Check(freeze.TrainableLastLayers > 0 || freeze.TrainableModules.Count > 0, field, "must have trainable_last_layers or trainable_modules")
            .Check(freeze.TrainableLastLayers >= 0, field + ".trainable_last_layers", "must not be negative")
            .Check(
                freeze.TrainableModules.Count <= MaxModules && freeze.TrainableModules.All(TrainedWeights.IsPattern),
                field + ".trainable_modules", $"must be at most {MaxModules} names of modules or regular expressions without look-around and back-references");
    }

    private static void Check(Types.LoraMethod? lora, FieldViolations violations, string field)
    {
        if (lora is null)
        {
            return;
        }

        violations
            .Check(lora.Rank is >= 0 and <= 4096, field + "rank", "must be 1 to 4096, or 0 for the default")
            .Check(double.IsFinite(lora.Alpha) && lora.Alpha >= 0, field + "alpha", "must be positive, or 0 for the default")
            .Check(
                double.IsFinite(lora.BLearningRateRatio) && lora.BLearningRateRatio >= 0,
                field + "b_learning_rate_ratio", "must be positive, or 0 for the default")
            .Check(lora.Dropout is >= 0 and < 1, field + "dropout", "must be at least 0 and less than 1")
            .Check(
                lora.TargetModules.All(SpecCompletion.LinearModules.Contains),
                field + "target_modules", $"must be among {string.Join(", ", SpecCompletion.LinearModules)}")
            .Check(Enum.IsDefined(lora.Initialization), field + "initialization", "must be one that this server knows")
            .Check(
                !lora.WeightDecomposed || lora.Initialization != Types.LoraMethod.Types.Initialization.Pissa,
                field + "initialization", "cannot be PISSA with weight_decomposed: the magnitudes would be those of the residual base");
    }
}
