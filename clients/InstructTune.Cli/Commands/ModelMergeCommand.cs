using System.CommandLine;
using System.Globalization;
using InstructTune.Cli.CommandLine;
using InstructTune.V1;
using Rule = InstructTune.V1.MergeModelVersionsRequest.Types.AdapterRule;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune model merge</c>: an adapter into its base, a weighted sum of versions, or several adapters into one.</summary>
internal static class ModelMergeCommand
{
    private static readonly Dictionary<string, Rule.Types.Kind> s_rules = new(StringComparer.Ordinal)
    {
        ["cat"] = Rule.Types.Kind.Cat,
        ["linear"] = Rule.Types.Kind.Linear,
        ["svd"] = Rule.Types.Kind.Svd,
        ["ties"] = Rule.Types.Kind.Ties,
        ["dare-linear"] = Rule.Types.Kind.DareLinear,
        ["dare-ties"] = Rule.Types.Kind.DareTies,
        ["magnitude-prune"] = Rule.Types.Kind.MagnitudePrune,
    };

    public static Command Create(CliContext context, Action<CommandCall, ModelVersion> write)
    {
        var components = new Argument<string[]>("models") { Description = "NAME or NAME@VERSION, each with =WEIGHT if it is not 1.", Arity = ArgumentArity.OneOrMore };
        var into = new Option<string>("--into") { Description = "Model that receives the version; created if absent.", HelpName = "MODEL", Required = true };
        var baseModel = new Option<string?>("--base") { Description = "The common base. Default: that of the first adapter.", HelpName = "MODEL" };
        var adapter = new Option<string?>("--adapter") { Description = $"Make one adapter by this rule: {string.Join(", ", s_rules.Keys)}.", HelpName = "RULE" };
        var density = new Option<double>("--density") { Description = "Share of values kept, by the rules that drop some. Default: 0.5.", HelpName = "SHARE" };
        var rank = new Option<int>("--rank") { Description = "Rank of svd. Default: the greatest among the adapters.", HelpName = "N" };
        var seed = new Option<ulong>("--seed") { Description = "Of the random drops of dare-linear and dare-ties.", HelpName = "N" };
        return new Command("merge", "Merges an adapter into its base, or several versions by weights.")
            .With(components, into, baseModel, adapter, density, rank, seed)
            .WithAction(context, async call =>
            {
                var request = new MergeModelVersionsRequest
                {
                    Parent = Names.Model(call.Value(into)!),
                    BaseModelVersion = call.Value(baseModel) is { } text ? Names.ModelVersion(text) : "",
                    AdapterRule = call.Value(adapter) is { } name ? ReadRule(name, call.Value(density), call.Value(rank), call.Value(seed)) : null,
                };
                request.Components.Add(call.Value(components)!.Select(ReadComponent));
                using var client = call.Connect();
                write(call, await client.Models.MergeModelVersionsAsync(request, cancellationToken: call.Ct));
                return ExitCode.Ok;
            });
    }

    /// <summary>Reads NAME[@VERSION][=WEIGHT].</summary>
    internal static MergeModelVersionsRequest.Types.Component ReadComponent(string text)
    {
        var at = text.LastIndexOf('=');
        if (at < 0)
        {
            return new() { ModelVersion = Names.ModelVersion(text) };
        }

        return double.TryParse(text[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var weight)
            ? new() { ModelVersion = Names.ModelVersion(text[..at]), Weight = weight }
            : throw CliException.Usage($"'{text[(at + 1)..]}' in '{text}' is not a weight; write a number such as 0.5.");
    }

    private static Rule ReadRule(string name, double density, int rank, ulong seed) => s_rules.TryGetValue(name, out var kind)
        ? new Rule { Kind = kind, Density = density, SvdRank = rank, Seed = seed }
        : throw CliException.Usage($"'{name}' is not a rule; the rules are {string.Join(", ", s_rules.Keys)}.");
}
