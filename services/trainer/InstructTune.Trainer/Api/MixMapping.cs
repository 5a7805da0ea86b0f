using InstructTune.Hosting;
using InstructTune.Trainer.FineTuning;
using InstructTune.V1;
using Amount = InstructTune.V1.DatasetMix.Types.Component.AmountOneofCase;
using Component = InstructTune.V1.DatasetMix.Types.Component;
using Strategy = InstructTune.V1.DatasetMix.Types.Strategy;

namespace InstructTune.Trainer.Api;

/// <summary>Mixes between the API and the domain, and what a mix of a request must satisfy.</summary>
internal static class MixMapping
{
    private const int MaxComponents = 64;

    public static MixSpec ToDomain(DatasetMix mix) => new()
    {
        Components = [.. mix.Components.Select(component => new MixComponent(component.Version)
        {
            ExampleCount = component.HasExampleCount ? component.ExampleCount : null,
            Fraction = component.HasFraction ? component.Fraction : null,
            Weight = component.HasWeight ? component.Weight : null,
            AllowsRepeats = component.AllowRepeats,
        })],
        Seed = mix.Seed,
        Strategy = mix.Strategy switch
        {
            Strategy.InterleaveUntilFirst => MixStrategy.InterleaveUntilFirst,
            Strategy.InterleaveUntilAll => MixStrategy.InterleaveUntilAll,
            Strategy.InterleaveOnce => MixStrategy.InterleaveOnce,
            _ => MixStrategy.Concatenate,
        },
        Temperature = mix.Temperature,
        ExampleCount = mix.ExampleCount,
    };

    public static DatasetMix ToProto(MixSpec mix) => new()
    {
        Components = { mix.Components.Select(ToProto) },
        Seed = mix.Seed,
        Strategy = mix.Strategy switch
        {
            MixStrategy.InterleaveUntilFirst => Strategy.InterleaveUntilFirst,
            MixStrategy.InterleaveUntilAll => Strategy.InterleaveUntilAll,
            MixStrategy.InterleaveOnce => Strategy.InterleaveOnce,
            _ => Strategy.Concatenate,
        },
        Temperature = mix.Temperature,
        ExampleCount = mix.ExampleCount,
    };

    public static void Check(DatasetMix mix, FieldViolations violations, string field)
    {
        var isInterleaved = mix.Strategy is not (Strategy.Unspecified or Strategy.Concatenate);
        violations
            .Check(mix.Components.Count is >= 1 and <= MaxComponents, field + ".components", $"must have 1 to {MaxComponents} entries; got {mix.Components.Count}")
            .Check(Enum.IsDefined(mix.Strategy), field + ".strategy", "must be one that this server knows")
            .Check(mix.ExampleCount >= 0, field + ".example_count", "must not be negative")
            .Check(mix.ExampleCount == 0 || isInterleaved, field + ".example_count", "is for INTERLEAVE; give each component its own")
            .Check(double.IsFinite(mix.Temperature) && mix.Temperature >= 0, field + ".temperature", "must be positive, or 0 for the default")
            .Check(mix.Temperature == 0 || (isInterleaved && !mix.Components.Any(IsWeighted)), field + ".temperature", "is for INTERLEAVE without weights")
            .Check(isInterleaved || !mix.Components.Any(IsWeighted), field + ".components", "must have no weights with CONCATENATE: a weight is a share of the draws of INTERLEAVE")
            .Check(
                mix.Components.All(IsWeighted) || !mix.Components.Any(IsWeighted),
                field + ".components", "must all have weights where one has");
        for (var i = 0; i < mix.Components.Count; i++)
        {
            Check(mix.Components[i], violations, FormattableString.Invariant($"{field}.components[{i}]."));
        }
    }

    private static void Check(Component component, FieldViolations violations, string field) => violations
        .Check(
            FineTuneRules.IsDataset(component.Version),
            field + "version", $"must have the form '{FineTuneRules.DatasetPattern}' or '{FineTuneRules.DatasetVersionPattern}'")
        .Check(component.AmountCase != Amount.ExampleCount || component.ExampleCount > 0, field + "example_count", "must be positive")
        .Check(
            component.AmountCase != Amount.Fraction || (double.IsFinite(component.Fraction) && component.Fraction > 0), field + "fraction", "must be positive")
        .Check(component.AmountCase != Amount.Weight || (double.IsFinite(component.Weight) && component.Weight > 0), field + "weight", "must be positive");

    private static bool IsWeighted(Component component) => component.HasWeight;

    private static Component ToProto(MixComponent component)
    {
        var proto = new Component { Version = component.Version, AllowRepeats = component.AllowsRepeats };
        if (component.ExampleCount is { } count)
        {
            proto.ExampleCount = count;
        }
        else if (component.Fraction is { } fraction)
        {
            proto.Fraction = fraction;
        }
        else if (component.Weight is { } weight)
        {
            proto.Weight = weight;
        }

        return proto;
    }
}
