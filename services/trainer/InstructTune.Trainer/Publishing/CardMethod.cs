using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Publishing;

/// <summary>How a stage was trained, in the words of a card. Pure.</summary>
internal static class CardMethod
{
    public static string Of(MethodSpec method) => (method.Lora, method.Freeze) switch
    {
        ({ } lora, _) => Adapter(lora),
        (_, { } freeze) => string.Join(" and ", Frozen(freeze)),
        _ => "all weights",
    };

    public static string Precision(FineTuneSpec spec, StageSpec stage) => (spec.Precision, spec.LoraOf(stage)) switch
    {
        (TrainingPrecision.Float32, { QuantizesBase: true }) => "base in NF4, adapter in float32",
        (TrainingPrecision.Float32, _) => "float32",
        (TrainingPrecision.PureBfloat16, _) => "bfloat16, rounded stochastically",
        (_, { QuantizesBase: true }) => "base in NF4 and bfloat16, adapter in float32",
        (_, { }) => "base in bfloat16, adapter in float32",
        _ => "bfloat16 with float32 masters",
    };

    private static string Adapter(LoraSpec lora)
    {
        var kinds = new (bool Applies, string Name)[]
        {
            (lora.QuantizesBase, lora.HasPlainScales ? "QLoRA (float32 scales)" : "QLoRA"),
            (lora.WeightDecomposed, "DoRA"),
            (lora.Start == LoraStartKind.Pissa, "PiSSA"),
            (lora.RankStabilized, "rsLoRA"),
            (lora.BRateRatio is not (0 or 1), $"LoRA+ (rate of B times {CardText.Number(lora.BRateRatio)})"),
        }.Where(kind => kind.Applies).Select(kind => kind.Name).DefaultIfEmpty("LoRA");
        return FormattableString.Invariant(
            $"{string.Join(" with ", kinds)} r {lora.Rank}, alpha {CardText.Number(lora.Alpha)}, dropout {CardText.Number(lora.Dropout)}: {string.Join(", ", lora.TargetModules)}");
    }

    private static IEnumerable<string> Frozen(FreezeSpec freeze)
    {
        if (freeze.LastLayers > 0)
        {
            yield return freeze.LastLayers == 1 ? "the last layer" : FormattableString.Invariant($"the last {freeze.LastLayers} layers");
        }

        if (freeze.Modules.Count > 0)
        {
            yield return "the modules " + string.Join(", ", freeze.Modules);
        }
    }
}
