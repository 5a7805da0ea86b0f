namespace InstructTune.Modeling.Generation;

/// <summary>Finds stop sequences in text that arrives in pieces, however the pieces cut it, and holds back only what may still become one.</summary>
public sealed class StopMatcher
{
    private readonly IReadOnlyList<string> _stops;
    private readonly bool _include;
    private string _held = "";

    /// <summary>A matcher at the beginning of a text.</summary>
    /// <param name="stops">None of them empty.</param>
    /// <param name="include">Whether the stop sequence that ends the text is part of it.</param>
    public StopMatcher(IReadOnlyList<string> stops, bool include = false)
    {
        _include = include;
        _stops = stops.Any(s => s.Length == 0) ? throw new ArgumentException("A stop sequence must not be empty.", nameof(stops)) : stops;
    }

    /// <summary>The stop sequence that ended the text, once one did.</summary>
    public string? Matched { get; private set; }

    /// <summary>Takes the next piece and returns the text that is certain.</summary>
    /// <param name="piece">May be empty.</param>
    /// <param name="mayEnd">False while the minimum length suspends stop sequences: one that ends in this piece then counts as text.</param>
    public string Append(string piece, bool mayEnd = true)
    {
        if (Matched is not null)
        {
            return "";
        }

        // Neither joining with nothing nor cutting nothing off makes a new string.
        var text = _held + piece;
        if (mayEnd && FirstMatch(text) is { } match)
        {
            Matched = match.Stop;
            _held = "";
            return text[..(match.Start + (_include ? match.Stop.Length : 0))];
        }

        var certain = text.Length - HeldLength(text);
        _held = text[certain..];
        return text[..certain];
    }

    /// <summary>What was held back, at the end of the text.</summary>
    public string Flush()
    {
        var rest = _held;
        _held = "";
        return rest;
    }

    // The match that ends first wins; of several the one that starts first. What ended within the held text was suspended.
    private (int Start, string Stop)? FirstMatch(string text)
    {
        (int Start, string Stop)? best = null;
        for (var i = 0; i < _stops.Count; i++)
        {
            var stop = _stops[i];
            var from = Math.Max(0, _held.Length - stop.Length + 1);
            var start = text.IndexOf(stop, from, StringComparison.Ordinal);
            if (start >= 0 && (best is not { } b || (start + stop.Length, start).CompareTo((b.Start + b.Stop.Length, b.Start)) < 0))
            {
                best = (start, stop);
            }
        }

        return best;
    }

    private int HeldLength(string text)
    {
        var longest = 0;
        for (var i = 0; i < _stops.Count; i++)
        {
            var stop = _stops[i];
            for (var length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }
}
