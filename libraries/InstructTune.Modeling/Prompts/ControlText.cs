using System.Text;
using InstructTune.Modeling.Templates;

namespace InstructTune.Modeling.Prompts;

/// <summary>
/// Keeps control tokens that users spell from becoming control tokens: before a template sees their text each spelling becomes one code
/// point for private use, and after it the spelling again, marked as text.
/// </summary>
internal sealed class ControlText
{
    private const int First = 0xF0000;
    private const int Last = 0xFFFFD;

    private readonly string[] _spellings;
    private readonly List<string> _marked = [];
    private readonly Dictionary<string, string> _marks = new(StringComparer.Ordinal);

    public ControlText(IEnumerable<string> spellings) => _spellings = [.. spellings.OrderByDescending(s => s.Length)];

    /// <summary>A text of a user, without control tokens.</summary>
    public string Hide(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uDB80', '\uDBBF') && !Array.Exists(_spellings, s => text.Contains(s, StringComparison.Ordinal)))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var found = Array.Find(_spellings, s => string.CompareOrdinal(text, at, s, 0, s.Length) == 0)
                ?? ((at + 1 < text.Length && char.IsSurrogatePair(text, at)) && char.ConvertToUtf32(text, at) is >= First and <= Last ? text.Substring(at, 2) : null);
            result.Append(found is null ? text[at].ToString() : MarkOf(found));
            at += found?.Length ?? 1;
        }

        return result.ToString();
    }

    /// <summary>What was rendered, with the spellings back in place.</summary>
    public MarkedText Reveal(RenderedTemplate rendered)
    {
        var text = new StringBuilder(rendered.Text.Length);
        var literals = new List<TextSpan>();
        var positions = new int[rendered.Text.Length + 1];
        for (var at = 0; at < rendered.Text.Length;)
        {
            var spelling = Spelled(rendered.Text, at);
            var length = spelling is null ? 1 : 2;
            Array.Fill(positions, text.Length, at, length);
            if (spelling is not null)
            {
                literals.Add(new(text.Length, text.Length + spelling.Length));
                text.Append(spelling);
            }
            else
            {
                text.Append(rendered.Text[at]);
            }

            at += length;
        }

        positions[^1] = text.Length;
        return new(text.ToString(), literals, [.. rendered.Generated.Select(span => new TextSpan(positions[span.Start], positions[span.End]))]);
    }

    private string? Spelled(string text, int at) =>
        _marked.Count > 0 && (at + 1 < text.Length && char.IsSurrogatePair(text, at)) && char.ConvertToUtf32(text, at) - First is >= 0 and var index && index < _marked.Count ? _marked[index] : null;

    private string MarkOf(string spelling)
    {
        if (!_marks.TryGetValue(spelling, out var mark))
        {
            if (_marked.Count > Last - First)
            {
                throw new ConversationException(0, "uses more code points for private use than a conversation may have");
            }

            _marks[spelling] = mark = char.ConvertFromUtf32(First + _marked.Count);
            _marked.Add(spelling);
        }

        return mark;
    }
}

/// <summary>A rendered text, the stretches of it that are text although they spell control tokens, and what the model wrote.</summary>
internal sealed record MarkedText(string Text, IReadOnlyList<TextSpan> Literals, IReadOnlyList<TextSpan> Generated);
