namespace InstructTune.Metrics.Rouge;

/// <summary>Porter's stemmer with the extensions of NLTK, the mode that google's ROUGE uses.</summary>
public static class PorterStemmer
{
    private static readonly Dictionary<string, string> WholeWords = new(StringComparer.Ordinal)
    {
        ["sky"] = "sky", ["skies"] = "sky", ["dying"] = "die", ["lying"] = "lie", ["tying"] = "tie", ["news"] = "news",
        ["innings"] = "inning", ["inning"] = "inning", ["outings"] = "outing", ["outing"] = "outing",
        ["cannings"] = "canning", ["canning"] = "canning", ["howe"] = "howe", ["proceed"] = "proceed",
        ["exceed"] = "exceed", ["succeed"] = "succeed",
    };

    private static readonly SuffixRule[] Plurals = [new("sses", "ss"), new("ies", "i"), new("ss", "ss"), new("s", "")];

    private static readonly SuffixRule[] DoubleSuffixes =
    [
        new("ational", "ate"), new("tional", "tion"), new("enci", "ence"), new("anci", "ance"), new("izer", "ize"), new("bli", "ble"),
        new("alli", "al"), new("entli", "ent"), new("eli", "e"), new("ousli", "ous"), new("ization", "ize"), new("ation", "ate"),
        new("ator", "ate"), new("alism", "al"), new("iveness", "ive"), new("fulness", "ful"), new("ousness", "ous"), new("aliti", "al"),
        new("iviti", "ive"), new("biliti", "ble"), new("fulli", "ful"), new("logi", "log", StemTail: "l"),
    ];

    private static readonly SuffixRule[] SimpleSuffixes =
        [new("icate", "ic"), new("ative", ""), new("alize", "al"), new("iciti", "ic"), new("ical", "ic"), new("ful", ""), new("ness", "")];

    private static readonly SuffixRule[] Endings =
    [
        new("al", ""), new("ance", ""), new("ence", ""), new("er", ""), new("ic", ""), new("able", ""), new("ible", ""), new("ant", ""),
        new("ement", ""), new("ment", ""), new("ent", ""), new("ion", ""), new("ou", ""), new("ism", ""), new("ate", ""), new("iti", ""),
        new("ous", ""), new("ive", ""), new("ize", ""),
    ];

    /// <summary>The stem of a word in lower case.</summary>
    public static string Stem(string word)
    {
        if (WholeWords.TryGetValue(word, out var stem))
        {
            return stem;
        }
        return word.Length <= 2 ? word : Step5(Step4(Step3(Step2(Step1c(Step1b(Step1a(word)))))));
    }

    private static string Step1a(string word) =>
        word.Length == 4 && Ends(word, "ies") ? word[..^1] : Apply(word, Plurals, static (_, _) => true);

    private static string Step1b(string word)
    {
        if (Ends(word, "ied"))
        {
            return word.Length == 4 ? word[..^1] : word[..^2];
        }
        if (Ends(word, "eed"))
        {
            return WordShape.Measure(word.AsSpan(0, word.Length - 3)) > 0 ? word[..^1] : word;
        }
        foreach (var suffix in (ReadOnlySpan<string>)["ed", "ing"])
        {
            if (Ends(word, suffix) && WordShape.HasVowel(word.AsSpan(0, word.Length - suffix.Length)))
            {
                return Repair(word[..^suffix.Length]);
            }
        }
        return word;
    }

    private static string Repair(string stem)
    {
        if (Ends(stem, "at") || Ends(stem, "bl") || Ends(stem, "iz"))
        {
            return stem + "e";
        }
        if (WordShape.EndsInDoubleConsonant(stem))
        {
            return stem[^1] is 'l' or 's' or 'z' ? stem : stem[..^1];
        }
        return WordShape.Measure(stem) == 1 && WordShape.EndsShort(stem) ? stem + "e" : stem;
    }

    private static string Step1c(string word) =>
        word.Length > 2 && word[^1] == 'y' && WordShape.IsConsonant(word, word.Length - 2) ? word[..^1] + "i" : word;

    private static string Step2(string word) =>
        Ends(word, "alli") && WordShape.Measure(word.AsSpan(0, word.Length - 4)) > 0
            ? Step2(word[..^2])
            : Apply(word, DoubleSuffixes, static (stem, _) => WordShape.Measure(stem) > 0);

    private static string Step3(string word) => Apply(word, SimpleSuffixes, static (stem, _) => WordShape.Measure(stem) > 0);

    private static string Step4(string word) => Apply(word, Endings, static (stem, rule) =>
        WordShape.Measure(stem) > 1 && (rule.Suffix != "ion" || stem[^1] is 's' or 't'));

    private static string Step5(string word)
    {
        if (Ends(word, "e"))
        {
            var measure = WordShape.Measure(word.AsSpan(0, word.Length - 1));
            word = measure > 1 || (measure == 1 && !WordShape.EndsShort(word.AsSpan(0, word.Length - 1))) ? word[..^1] : word;
        }
        return Ends(word, "ll") && WordShape.Measure(word.AsSpan(0, word.Length - 1)) > 1 ? word[..^1] : word;
    }

    // The first rule whose suffix matches decides, also when its condition fails.
    private static string Apply(string word, SuffixRule[] rules, Func<string, SuffixRule, bool> condition)
    {
        foreach (var rule in rules)
        {
            if (Ends(word, rule.Suffix))
            {
                var stem = word[..^rule.Suffix.Length];
                return condition(stem + rule.StemTail, rule) ? stem + rule.Replacement : word;
            }
        }
        return word;
    }

    private static bool Ends(string word, string suffix) => word.EndsWith(suffix, StringComparison.Ordinal);

    private sealed record SuffixRule(string Suffix, string Replacement, string StemTail = "");
}
