namespace InstructTune.Modeling.Generation;

/// <summary>How the next token is chosen.</summary>
public sealed record SamplingOptions
{
    /// <summary>Below this a temperature means greedy.</summary>
    public const double GreedyBelow = 1e-5;

    /// <summary>Of biases, allowed ids and bad words.</summary>
    public const int MaxEntries = 1024;

    /// <summary>From 0 to 2; 0 means greedy.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>In (0, 1]: the smallest set of tokens whose probabilities reach it.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>0 means all. Tokens tied with the last one are kept too.</summary>
    public int TopK { get; init; }

    /// <summary>In [0, 1]: tokens below this fraction of the best are dropped.</summary>
    public double MinP { get; init; }

    /// <summary>In (0, 10]: divides positive and multiplies negative logits of tokens in the prompt or the output.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>In [-2, 2]: subtracted once from every token in the output.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>In [-2, 2]: subtracted per occurrence in the output.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>End-of-text and stop tokens are masked until this many tokens were made.</summary>
    public int MinTokens { get; init; }

    /// <summary>Added to the logits of these ids, in [-100, 100]; at most <see cref="MaxEntries"/>. What is masked stays masked.</summary>
    public IReadOnlyDictionary<int, double> LogitBias { get; init; } = new Dictionary<int, double>();

    /// <summary>Only these ids can be chosen, at most <see cref="MaxEntries"/>; empty means all.</summary>
    public IReadOnlyList<int> AllowedTokenIds { get; init; } = [];

    /// <summary>Sequences of ids that the output must not hold, at most <see cref="MaxEntries"/>, none empty.</summary>
    public IReadOnlyList<IReadOnlyList<int>> BadWords { get; init; } = [];

    /// <summary>Key of the random numbers.</summary>
    public ulong Seed { get; init; }

    internal bool IsGreedy => Temperature < GreedyBelow;

    /// <summary>Every field that is out of range, by its name in the API, with what it must be.</summary>
    public IReadOnlyList<(string Field, string Problem)> Check()
    {
        List<(string, string)> problems = [];
        Demand(Temperature is >= 0 and <= 2, "temperature", "must be from 0 to 2");
        Demand(TopP is > 0 and <= 1, "top_p", "must be above 0 and at most 1");
        Demand(TopK >= 0, "top_k", "must be at least 0");
        Demand(MinP is >= 0 and <= 1, "min_p", "must be from 0 to 1");
        Demand(RepetitionPenalty is > 0 and <= 10, "repetition_penalty", "must be above 0 and at most 10");
        Demand(PresencePenalty is >= -2 and <= 2, "presence_penalty", "must be from -2 to 2");
        Demand(FrequencyPenalty is >= -2 and <= 2, "frequency_penalty", "must be from -2 to 2");
        Demand(MinTokens >= 0, "min_tokens", "must be at least 0");
        Demand(LogitBias.Count <= MaxEntries, "logit_bias", $"must have at most {MaxEntries} entries");
        Demand(LogitBias.Values.All(b => b is >= -100 and <= 100), "logit_bias", "must hold numbers from -100 to 100");
        Demand(AllowedTokenIds.Count <= MaxEntries, "allowed_token_ids", $"must have at most {MaxEntries} entries");
        Demand(BadWords.Count <= MaxEntries && BadWords.All(w => w.Count > 0), "bad_words", $"must have at most {MaxEntries} entries, none of them empty");
        return problems;

        void Demand(bool holds, string field, string problem)
        {
            if (!holds)
            {
                problems.Add((field, problem));
            }
        }
    }
}
