using System.Buffers;

namespace InstructTune.Modeling.Tokenization;

/// <summary>One step of a pre-tokenizer: hands pieces of a text to the next step.</summary>
internal abstract class PreTokenizerStep
{
    /// <param name="text">A piece of the step before.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="next">Takes pieces.</param>
    public abstract void Split(ReadOnlySpan<char> text, PiecePlace place, PreTokenizerRun next);
}

/// <summary>Where a piece stands.</summary>
/// <param name="Continues">Whether the text goes on after other text; it then gets no prefix.</param>
/// <param name="First">Whether nothing comes before the text, not even an added token.</param>
internal readonly record struct PiecePlace(bool Continues, bool First)
{
    public PiecePlace At(int start) => start == 0 ? this : default;
}

/// <summary>The rest of a chain of steps, and what takes its words.</summary>
internal readonly ref struct PreTokenizerRun(ReadOnlySpan<PreTokenizerStep> steps, BytePairModel model, EncodeScratch scratch)
{
    private readonly ReadOnlySpan<PreTokenizerStep> _steps = steps;

    public void Take(ReadOnlySpan<char> text, PiecePlace place)
    {
        if (_steps.IsEmpty)
        {
            model.Encode(text, scratch);
        }
        else
        {
            _steps[0].Split(text, place, new PreTokenizerRun(_steps[1..], model, scratch));
        }
    }
}

/// <summary>A known pattern.</summary>
internal sealed class ScannerStep(SplitScanner scanner) : PreTokenizerStep
{
    public SplitScanner Scanner => scanner;

    public override void Split(ReadOnlySpan<char> text, PiecePlace place, PreTokenizerRun next)
    {
        for (var at = 0; at < text.Length;)
        {
            var end = scanner.Next(text, at);
            next.Take(text[at..end], place.At(at));
            at = end;
        }
    }
}

/// <summary>Any other pattern.</summary>
internal sealed class RegexStep(UnicodeRegex regex) : PreTokenizerStep
{
    public override void Split(ReadOnlySpan<char> text, PiecePlace place, PreTokenizerRun next)
    {
        var lengths = new List<int>();
        regex.Split(text, lengths);
        var start = 0;
        foreach (var length in lengths)
        {
            next.Take(text.Slice(start, length), place.At(start));
            start += length;
        }
    }
}

/// <summary>Puts a space in front of a text that has none.</summary>
internal sealed class PrefixSpaceStep : PreTokenizerStep
{
    public override void Split(ReadOnlySpan<char> text, PiecePlace place, PreTokenizerRun next)
    {
        if (place.Continues || text.IsEmpty || text[0] == ' ')
        {
            next.Take(text, place);
            return;
        }

        var longer = ArrayPool<char>.Shared.Rent(text.Length + 1);
        longer[0] = ' ';
        text.CopyTo(longer.AsSpan(1));
        next.Take(longer.AsSpan(0, text.Length + 1), place);
        ArrayPool<char>.Shared.Return(longer);
    }
}
