namespace InstructTune.Modeling.Tokenization;

/// <summary>Cuts a text into words, as a split pattern of a tokenizer does.</summary>
internal abstract class SplitScanner
{
    /// <summary>Where the word ends that begins at a place, which is the beginning of the text or the end of another word.</summary>
    public abstract int Next(ReadOnlySpan<char> text, int at);
}

/// <summary>GPT-2's pattern.</summary>
internal sealed class Gpt2Scanner : SplitScanner
{
    public override int Next(ReadOnlySpan<char> text, int at)
    {
        if (text[at] == '\'' && Contractions.End(text, at, ignoreCase: false) is > 0 and var end)
        {
            return end;
        }

        var kind = CharacterClass.At(text, at, out var width);
        if (text[at] == ' ' && at + 1 < text.Length)
        {
            var next = CharacterClass.At(text, at + 1, out var nextWidth);
            if (!CharacterClass.IsSpace(next))
            {
                return CharacterClass.EndOfRun(text, at + 1 + nextWidth, next);
            }
        }

        return CharacterClass.IsSpace(kind) ? Spaces.End(text, at) : CharacterClass.EndOfRun(text, at + width, kind);
    }
}

/// <summary>The pattern of cl100k, Llama 3 (three digits together) and Qwen2 (one).</summary>
internal sealed class Llama3Scanner(int digits) : SplitScanner
{
    public int Digits => digits;

    public override int Next(ReadOnlySpan<char> text, int at)
    {
        if (text[at] == '\'' && Contractions.End(text, at, ignoreCase: true) is > 0 and var end)
        {
            return end;
        }

        var kind = CharacterClass.At(text, at, out var width);
        if (kind == CharacterClass.Letter)
        {
            return CharacterClass.EndOfRun(text, at + width, CharacterClass.Letter);
        }

        if (kind == CharacterClass.Number)
        {
            return DigitsEnd(text, at + width);
        }

        if (at + width < text.Length)
        {
            var next = CharacterClass.At(text, at + width, out var nextWidth);
            if (next == CharacterClass.Letter && kind != CharacterClass.LineEnd)
            {
                return CharacterClass.EndOfRun(text, at + width + nextWidth, CharacterClass.Letter);
            }

            if (next == CharacterClass.Other && (text[at] == ' ' || kind == CharacterClass.Other))
            {
                return LineEnds(text, CharacterClass.EndOfRun(text, at + width + nextWidth, CharacterClass.Other));
            }
        }

        return kind == CharacterClass.Other ? LineEnds(text, at + width) : Spaces.EndAtLine(text, at);
    }

    private static int LineEnds(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && text[at] is '\r' or '\n')
        {
            at++;
        }

        return at;
    }

    private int DigitsEnd(ReadOnlySpan<char> text, int at)
    {
        for (var count = 1; count < digits && at < text.Length && CharacterClass.At(text, at, out var width) == CharacterClass.Number; count++)
        {
            at += width;
        }

        return at;
    }
}

/// <summary>Numbers apart from the rest, each digit for itself or all together.</summary>
internal sealed class DigitScanner(bool individual) : SplitScanner
{
    public bool Individual => individual;

    public override int Next(ReadOnlySpan<char> text, int at)
    {
        if (CharacterClass.At(text, at, out var width) == CharacterClass.Number)
        {
            return individual ? at + width : CharacterClass.EndOfRun(text, at, CharacterClass.Number);
        }

        do
        {
            at += width;
        }
        while (at < text.Length && CharacterClass.At(text, at, out width) != CharacterClass.Number);

        return at;
    }
}

/// <summary>'s and its like.</summary>
internal static class Contractions
{
    /// <summary>Where the contraction ends that begins with the apostrophe at a place, or -1.</summary>
    public static int End(ReadOnlySpan<char> text, int at, bool ignoreCase)
    {
        var first = Letter(text, at + 1, ignoreCase);
        if (first is 's' or 't' or 'm' or 'd')
        {
            return at + 2;
        }

        return (first, Letter(text, at + 2, ignoreCase)) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? at + 3 : -1;
    }

    private static char Letter(ReadOnlySpan<char> text, int at, bool ignoreCase)
    {
        if (at >= text.Length)
        {
            return '\0';
        }

        // Oniguruma folds the long s into s.
        var letter = text[at];
        return !ignoreCase ? letter : letter == '\u017f' ? 's' : char.IsAsciiLetterUpper(letter) ? (char)(letter | 0x20) : letter;
    }
}

/// <summary>White space, of which the last character goes with what follows.</summary>
internal static class Spaces
{
    /// <summary>\s+(?!\S)|\s+</summary>
    public static int End(ReadOnlySpan<char> text, int at)
    {
        var end = at + 1;
        while (end < text.Length && CharacterClass.IsSpace(CharacterClass.At(text, end, out _)))
        {
            end++;
        }

        return end == text.Length || end == at + 1 ? end : end - 1;
    }

    /// <summary>\s*[\r\n]+|\s+(?!\S)|\s+</summary>
    public static int EndAtLine(ReadOnlySpan<char> text, int at)
    {
        var line = -1;
        var end = at;
        for (; end < text.Length && CharacterClass.At(text, end, out _) is var kind && CharacterClass.IsSpace(kind); end++)
        {
            line = kind == CharacterClass.LineEnd ? end : line;
        }

        if (line >= 0)
        {
            return line + 1;
        }

        return end == text.Length || end == at + 1 ? end : end - 1;
    }
}
