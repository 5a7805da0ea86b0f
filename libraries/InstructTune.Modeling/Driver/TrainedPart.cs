using System.Globalization;
using System.Text.RegularExpressions;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Driver;

/// <summary>What of a model is trained, as far as it decides what a pass keeps and computes.</summary>
public sealed partial record TrainedPart
{
    private TrainedPart()
    {
    }

    /// <summary>The first layer that the way back reaches; the number of layers where it reaches none. Nothing is kept of those below.</summary>
    public int FirstLayer { get; private init; }

    /// <summary>Weights of linear layers that get a gradient of their own.</summary>
    public double LinearWeights { get; private init; }

    /// <summary>Whether the output head gets one.</summary>
    public bool HasHead { get; private init; }

    /// <summary>The adapter, if one is trained.</summary>
    public LoraConfig? Lora { get; private init; }

    /// <summary>Weights of the model itself.</summary>
    /// <param name="config">The model.</param>
    /// <param name="isTrained">Which, by name; null for all.</param>
    public static TrainedPart OfWeights(LlamaConfig config, Func<string, bool>? isTrained = null)
    {
        isTrained ??= _ => true;
        var names = ModelSizes.Linear(config).Concat(ModelSizes.Others(config)).Select(weight => weight.Name).Where(isTrained).ToList();
        return new TrainedPart
        {
            FirstLayer = First(config, names.Contains(AdapterPlan.Embedding + ".weight"), names),
            LinearWeights = ModelSizes.Linear(config).Where(weight => isTrained(weight.Name)).Sum(weight => (double)weight.Count),
            HasHead = isTrained((config.TiedEmbeddings ? AdapterPlan.Embedding : AdapterPlan.Head) + ".weight"),
        };
    }

    /// <summary>An adapter.</summary>
    public static TrainedPart OfAdapter(LlamaConfig config, LoraConfig lora)
    {
        var modules = AdapterPlan.Of(config, lora).Select(tensor => tensor.Module).ToList();
        return new TrainedPart { FirstLayer = First(config, modules.Contains(AdapterPlan.Embedding), modules), Lora = lora };
    }

    private static int First(LlamaConfig config, bool hasEmbedding, IEnumerable<string> names) => hasEmbedding ? 0 : names.Select(name => Layer().Match(name))
        .Where(match => match.Success).Select(match => int.Parse(match.Groups["layer"].ValueSpan, CultureInfo.InvariantCulture)).Append(config.LayerCount).Min();

    [GeneratedRegex(@"^model\.layers\.(?<layer>[0-9]+)\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Layer();
}
