namespace InstructTune.Metrics.Rouge;

/// <summary>Consonants, vowels and syllables as Porter defines them.</summary>
internal static class WordShape
{
    /// <summary>A letter other than a, e, i, o, u, and other than y after a consonant.</summary>
    public static bool IsConsonant(ReadOnlySpan<char> word, int index)
    {
        if (word[index] != 'y')
        {
            return word[index] is not ('a' or 'e' or 'i' or 'o' or 'u');
        }
        // In a run of y they alternate; the first of the run decides.
        var runStart = index;
        while (runStart > 0 && word[runStart - 1] == 'y')
        {
            runStart--;
        }
        var firstIsConsonant = runStart == 0 || !IsConsonant(word, runStart - 1);
        return (index - runStart) % 2 == 0 ? firstIsConsonant : !firstIsConsonant;
    }

    /// <summary>The number of changes from vowel to consonant.</summary>
    public static int Measure(ReadOnlySpan<char> word)
    {
        var changes = 0;
        var afterVowel = false;
        for (var i = 0; i < word.Length; i++)
        {
            var consonant = IsConsonant(word, i);
            changes += consonant && afterVowel ? 1 : 0;
            afterVowel = !consonant;
        }
        return changes;
    }

    /// <summary>Whether any letter is a vowel.</summary>
    public static bool HasVowel(ReadOnlySpan<char> word)
    {
        for (var i = 0; i < word.Length; i++)
        {
            if (!IsConsonant(word, i))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether the last two letters are the same consonant.</summary>
    public static bool EndsInDoubleConsonant(ReadOnlySpan<char> word) =>
        word.Length >= 2 && word[^1] == word[^2] && IsConsonant(word, word.Length - 1);

    /// <summary>Consonant, vowel, consonant other than w, x, y at the end; or the whole word is vowel, consonant.</summary>
    public static bool EndsShort(ReadOnlySpan<char> word)
    {
        var last = word.Length - 1;
        if (word.Length == 2)
        {
            return !IsConsonant(word, 0) && IsConsonant(word, 1);
        }
        return word.Length >= 3 && IsConsonant(word, last - 2) && !IsConsonant(word, last - 1) && IsConsonant(word, last)
            && word[last] is not ('w' or 'x' or 'y');
    }
}
