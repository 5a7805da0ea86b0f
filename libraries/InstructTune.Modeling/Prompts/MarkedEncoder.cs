using System.Text;
using InstructTune.Modeling.Templates;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>A rendered text as ids. A token that overlaps a span bears loss, as in transformers and TRL.</summary>
internal sealed class MarkedEncoder(Tokenizer tokenizer)
{
    /// <param name="text">With its literal stretches.</param>
    /// <param name="cuts">Where tokens must not span: between a prompt and its answer.</param>
    /// <param name="trained">What bears loss.</param>
    public RenderedPrompt Encode(MarkedText text, IReadOnlyList<int> cuts, IReadOnlyList<TextSpan> trained)
    {
        var ids = new List<int>();
        var marks = new List<bool>();
        var bytes = 0;
        foreach (var (start, end, literal) in Pieces(text, cuts))
        {
            var piece = text.Text[start..end];
            var encoded = start == 0 && !literal ? tokenizer.Encode(piece, parseSpecial: true) : tokenizer.EncodeContinuation(piece, parseSpecial: !literal);
            var offsets = TokenOffsets.Of(tokenizer, encoded, piece);
            ids.AddRange(encoded);
            marks.AddRange(Marked(offsets, Bytes(text.Text, trained), bytes));
            bytes += Encoding.UTF8.GetByteCount(piece);
        }

        return new(text.Text, [.. ids], [.. marks]);
    }

    private static IEnumerable<bool> Marked((int Start, int End)[] offsets, TextSpan[] spans, int before) => offsets.Select(offset =>
        Array.Exists(spans, span => before + offset.Start < span.End && before + offset.End > span.Start));

    private static TextSpan[] Bytes(string text, IReadOnlyList<TextSpan> spans) =>
        [.. spans.Select(span => new TextSpan(Encoding.UTF8.GetByteCount(text.AsSpan(0, span.Start)), Encoding.UTF8.GetByteCount(text.AsSpan(0, span.End))))];

    private static IEnumerable<(int Start, int End, bool Literal)> Pieces(MarkedText text, IReadOnlyList<int> cuts)
    {
        int[] borders =
        [
            .. cuts.Concat(text.Literals.SelectMany(span => new[] { span.Start, span.End })).Append(0).Append(text.Text.Length).Distinct().Order(),
        ];
        return borders.Zip(borders.Skip(1), (start, end) => (start, end, text.Literals.Any(span => start >= span.Start && end <= span.End)));
    }
}
