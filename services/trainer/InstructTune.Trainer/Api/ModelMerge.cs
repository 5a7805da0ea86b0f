using InstructTune.Hosting;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using InstructTune.Trainer.Registry;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>Reads and checks a request to merge versions, and has it done.</summary>
internal sealed class ModelMerge(ModelRegistry registry, ModelMerger merger)
{
    private const int MaxComponents = 16;

    public async Task<ModelVersionRecord> MergeAsync(MergeModelVersionsRequest request, CancellationToken ct)
    {
        var model = Check(request);
        var components = request.Components.Select((c, i) => new MergeComponent(Find(c.ModelVersion, $"components[{i}].model_version"), c.HasWeight ? c.Weight : 1)).ToArray();
        var from = Base(request, components);
        foreach (var component in components.Select(c => c.Version))
        {
            RefuseUnfit(component, from, request.AdapterRule is not null);
        }

        try
        {
            return await merger.MergeAsync(new MergeOrder(model, from, components, Rule(request.AdapterRule)), ct);
        }
        catch (ModelFormatException exception)
        {
            throw new DomainException(
                ErrorReason.ModelFilesInvalid, exception.Message, ("file", exception.File), ("item", exception.Item), ("problem", exception.Problem));
        }
    }

    private static string Check(MergeModelVersionsRequest request)
    {
        var violations = new FieldViolations();
        var hasParent = ResourceName.TryParse("models/{model}", request.Parent, out var parent);
        violations.Check(hasParent, "parent", "must have the form 'models/{model}'");
        if (hasParent)
        {
            violations.CheckId(parent[0], "parent");
        }

        violations.Check(request.Components.Count is > 0 and <= MaxComponents, "components", $"must be 1 to {MaxComponents}");
        foreach (var (i, component) in request.Components.Index())
        {
            violations.Check(!component.HasWeight || (double.IsFinite(component.Weight) && component.Weight != 0), $"components[{i}].weight", "must be a number other than 0");
        }

        var rule = request.AdapterRule ?? new();
        violations.Check(rule.Density is >= 0 and <= 1, "adapter_rule.density", "must be from 0 to 1")
            .Check(rule.SvdRank >= 0, "adapter_rule.svd_rank", "must not be negative")
            .Check(Enum.IsDefined(rule.Kind), "adapter_rule.kind", "is not known");
        violations.ThrowIfAny();
        return parent[0];
    }

    private ModelVersionRecord Find(string name, string field)
    {
        var parts = ResourceName.Parse("models/{model}/versions/{version}", name, field);
        return registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(name);
    }

    private ModelVersionRecord Base(MergeModelVersionsRequest request, MergeComponent[] components)
    {
        var name = request.BaseModelVersion.Length > 0
            ? request.BaseModelVersion
            : components.Select(c => c.Version.BaseModelVersion).FirstOrDefault(b => b.Length > 0)
                ?? throw FieldViolations.Single("base_model_version", "must name the common base, since no component is an adapter");
        var found = Find(name, "base_model_version");
        return found.Kind == ModelKind.FullWeights
            ? found
            : throw WrongKind(found, $"{found.Name} is an adapter; a base has full weights.");
    }

    private static void RefuseUnfit(ModelVersionRecord component, ModelVersionRecord from, bool makesAdapter)
    {
        if (component.Kind == ModelKind.FullWeights && makesAdapter)
        {
            throw WrongKind(component, $"{component.Name} has full weights; an adapter is made of adapters.");
        }

        if (component.Kind == ModelKind.LoraAdapter && component.BaseModelVersion != from.Name)
        {
            throw WrongKind(component, $"{component.Name} is an adapter of {component.BaseModelVersion}, not of {from.Name}.");
        }
    }

    private static AdapterCombination? Rule(MergeModelVersionsRequest.Types.AdapterRule? rule) => rule is null ? null : new AdapterCombination(rule.Kind switch
    {
        MergeModelVersionsRequest.Types.AdapterRule.Types.Kind.Linear => CombinationKind.Linear,
        MergeModelVersionsRequest.Types.AdapterRule.Types.Kind.Svd => CombinationKind.Svd,
        MergeModelVersionsRequest.Types.AdapterRule.Types.Kind.Ties => CombinationKind.Ties,
        MergeModelVersionsRequest.Types.AdapterRule.Types.Kind.DareLinear => CombinationKind.DareLinear,
        MergeModelVersionsRequest.Types.AdapterRule.Types.Kind.DareTies => CombinationKind.DareTies,
        MergeModelVersionsRequest.Types.AdapterRule.Types.Kind.MagnitudePrune => CombinationKind.MagnitudePrune,
        _ => CombinationKind.Cat,
    })
    {
        Density = rule.Density > 0 ? rule.Density : 0.5,
        CountsSigns = rule.CountSigns,
        SvdRank = rule.SvdRank,
        Seed = StepSeed.Of(rule.Seed, "", 0, "combine"),
    };

    private static DomainException WrongKind(ModelVersionRecord version, string message) => new(ErrorReason.WrongKind, message, ("resource", version.Name));
}
