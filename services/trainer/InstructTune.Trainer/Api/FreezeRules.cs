using System.Globalization;
using System.Text.RegularExpressions;
using InstructTune.Hosting;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Api;

/// <summary>What the method freeze names must be in the model. Names of weights follow from its configuration.</summary>
internal static partial class FreezeRules
{
    private const string Field = "fine_tune_job.spec.";

    /// <summary>Whether any stage trains some weights only.</summary>
    public static bool Concern(FineTuneSpec asked) => asked.Freeze is not null || asked.Stages.Any(stage => stage.Method?.Freeze is not null);

    public static void Check(FineTuneSpec asked, LlamaConfig config, string model)
    {
        var violations = new FieldViolations();
        Check(asked.Freeze, Field + "method.freeze", config, model, violations);
        for (var i = 0; i < asked.Stages.Count; i++)
        {
            Check(asked.Stages[i].Method?.Freeze, FormattableString.Invariant($"{Field}stages[{i}].method.freeze"), config, model, violations);
        }

        violations.ThrowIfAny();
    }

    private static void Check(FreezeSpec? freeze, string field, LlamaConfig config, string model, FieldViolations violations)
    {
        if (freeze is null)
        {
            return;
        }

        var layers = config.LayerCount.ToString(CultureInfo.InvariantCulture);
        violations.Check(freeze.LastLayers <= config.LayerCount, field + ".trainable_last_layers", $"must be at most {layers}, the layers of {model}");
        var weights = ModelSizes.Linear(config).Concat(ModelSizes.Others(config)).Select(weight => weight.Name).ToArray();
        for (var i = 0; i < freeze.Modules.Count; i++)
        {
            violations.Check(
                TrainedWeights.Unmatched(freeze with { Modules = [freeze.Modules[i]] }, weights) is null,
                FormattableString.Invariant($"{field}.trainable_modules[{i}]"),
                $"is {freeze.Modules[i]}, which matches no module of {model}: there are {string.Join(", ", Modules(weights, config.LayerCount))}");
        }
    }

    // Layers are alike: their modules are named once.
    private static IEnumerable<string> Modules(IEnumerable<string> weights, int layers) => weights
        .Select(weight => Layer().Replace(weight[..weight.LastIndexOf('.')], string.Create(CultureInfo.InvariantCulture, $"model.layers.{{0..{layers - 1}}}.")))
        .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    [GeneratedRegex(@"^model\.layers\.[0-9]+\.", RegexOptions.CultureInvariant)]
    private static partial Regex Layer();
}
