using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>`wordwrap`: lines of a given width, broken at white space and after hyphens, as Python's textwrap does it.</summary>
internal static class WordWrap
{
    public static string Apply(string text, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("wordwrap", 0, "width", "break_long_words", "wrapstring", "break_on_hyphens");
        var width = (int)bound.Number(0, 79);
        if (width <= 0)
        {
            throw TemplateException.Value($"invalid width {width} (must be > 0)");
        }

        var newline = bound.At(2) is null ? "\n" : bound.Text(2);
        var lines = TextSplit.Lines(text, keepEnds: false, run.Meter).Items.Cast<string>();
        var wrapped = lines.Select(line => string.Join(newline, Wrapped(Chunks(line, bound.Flag(3, otherwise: true)), width, bound.Flag(1, otherwise: true))));
        var result = string.Join(newline, wrapped);
        run.Meter.Text(result.Length);
        return result;
    }

    // Words and the white space between them; a hyphen between letters ends a chunk.
    private static Stack<string> Chunks(string line, bool atHyphens)
    {
        var chunks = new List<string>();
        var chunk = new StringBuilder();
        for (var at = 0; at < line.Length; at++)
        {
            chunk.Append(line[at]);
            var ends = at + 1 == line.Length
                || WhiteSpace.Is(line[at]) != WhiteSpace.Is(line[at + 1])
                || (atHyphens && line[at] == '-' && at > 0 && char.IsLetter(line[at - 1]) && char.IsLetter(line[at + 1]));
            if (ends)
            {
                chunks.Add(chunk.ToString());
                chunk.Clear();
            }
        }

        chunks.Reverse();
        return new Stack<string>(chunks);
    }

    private static List<string> Wrapped(Stack<string> chunks, int width, bool breaksWords)
    {
        var lines = new List<string>();
        while (chunks.Count > 0)
        {
            if (lines.Count > 0 && WhiteSpace.IsBlank(chunks.Peek()))
            {
                chunks.Pop();
                continue;
            }

            var line = new List<string>();
            var length = 0;
            while (chunks.Count > 0 && length + CodePoints.Count(chunks.Peek()) <= width)
            {
                length += CodePoints.Count(chunks.Peek());
                line.Add(chunks.Pop());
            }

            if (chunks.Count > 0 && CodePoints.Count(chunks.Peek()) > width)
            {
                Break(chunks, line, width - length, width, breaksWords);
            }

            if (line.Count > 0 && WhiteSpace.IsBlank(line[^1]))
            {
                line.RemoveAt(line.Count - 1);
            }

            if (line.Count > 0)
            {
                lines.Add(string.Concat(line));
            }
        }

        return lines;
    }

    // A word longer than a line.
    private static void Break(Stack<string> chunks, List<string> line, int space, int width, bool breaksWords)
    {
        if (breaksWords)
        {
            var word = chunks.Pop();
            var cut = CodePoints.Offset(word, width < 1 ? 1 : space);
            line.Add(word[..cut]);
            chunks.Push(word[cut..]);
        }
        else if (line.Count == 0)
        {
            line.Add(chunks.Pop());
        }
    }
}
