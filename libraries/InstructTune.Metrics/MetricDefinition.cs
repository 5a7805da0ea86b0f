using InstructTune.Metrics.Answers;
using InstructTune.Metrics.Ranking;
using InstructTune.Metrics.Rouge;

namespace InstructTune.Metrics;

/// <summary>A metric of single answers, under an id that names its implementation.</summary>
public abstract record MetricDefinition(string Id)
{
    /// <summary>The metrics that exist, in the order of their documentation.</summary>
    public static IReadOnlyList<MetricDefinition> All { get; } =
    [
        new GeneratedAnswerMetric("rougeL/google+nltk-porter",
            static (reference, answer) => RougeMetric.RougeL(reference, answer, stem: true).FMeasure),
        new GeneratedAnswerMetric("em/tk-instruct", static (reference, answer) => TkInstruct.ExactMatch(reference, answer) ? 1 : 0),
        new GeneratedAnswerMetric("f1/squad-1.1", Squad.F1),
        new ChoiceMetric("acc/lm-eval", static (logprobs, _) => OptionRanking.Choose(logprobs)),
        new ChoiceMetric("acc_norm/lm-eval-chars", OptionRanking.ChooseByLength),
    ];

    /// <summary>Finds a metric by its long id, or by the part before the slash; null where there is none.</summary>
    public static MetricDefinition? Find(string id) => All.FirstOrDefault(metric => metric.Id == id || metric.ShortId == id);

    private string ShortId => Id[..Id.IndexOf('/', StringComparison.Ordinal)];
}

/// <summary>Marks a generated answer.</summary>
/// <param name="Id">The long id.</param>
/// <param name="ScorePair">Score of (reference, answer), in [0, 1].</param>
public sealed record GeneratedAnswerMetric(string Id, Func<string, string, double> ScorePair) : MetricDefinition(Id)
{
    /// <summary>The best score over the references.</summary>
    public double Score(IReadOnlyList<string> references, string answer) => BestReference.Score(references, answer, ScorePair);
}

/// <summary>Marks the choice that log-probabilities make.</summary>
/// <param name="Id">The long id.</param>
/// <param name="Choose">Index of the chosen option from (log-probabilities, options).</param>
public sealed record ChoiceMetric(string Id, Func<IReadOnlyList<double>, IReadOnlyList<string>, int> Choose) : MetricDefinition(Id)
{
    /// <summary>1 where the chosen option is one of the references, else 0.</summary>
    public double Score(IReadOnlyList<string> references, IReadOnlyList<string> options, IReadOnlyList<double> logprobs) =>
        references.Contains(options[Choose(logprobs, options)], StringComparer.Ordinal) ? 1 : 0;
}
