// Shape letters in this file:
//   B batch   T tokens   H width of one head

using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>Where the tokens of a training batch stand, when its rows are not sequences from position 0.</summary>
public sealed record TokenPlacement
{
    /// <summary>
    /// Lengths of the examples packed into each row, in order; what follows them is padding. An example attends to itself only, and its
    /// positions begin at 0. Null: a row is one example.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<int>>? Segments { get; init; }

    /// <summary>Rotary positions of each row, token by token, in place of those that follow from the examples.</summary>
    public IReadOnlyList<IReadOnlyList<int>>? Positions { get; init; }

    internal void RefuseMismatch(int rows, int tokens)
    {
        if (Segments is not null && (Segments.Count != rows || Segments.Any(s => s.Sum() > tokens || s.Any(length => length < 1))))
        {
            throw new ArgumentException($"Segments must be lengths above 0 for each of {rows} rows, at most {tokens} together.");
        }

        if (Positions is not null && (Positions.Count != rows || Positions.Any(p => p.Count != tokens || p.Any(position => position < 0))))
        {
            throw new ArgumentException($"Positions must be {rows} rows of {tokens} numbers from 0 on.");
        }
    }

    /// <summary>The pieces of each row, padding as one of its own; null where rows are whole.</summary>
    internal IReadOnlyList<IReadOnlyList<(int From, int Count)>>? SegmentsOf(int tokens) =>
        Segments is null ? null : [.. Segments.Select(lengths => Pieces(lengths, tokens))];

    /// <summary>Angles in the shape [B, T, 1, H].</summary>
    internal Rotation Rotation(RotaryTable table, int tokens)
    {
        using var scope = NewDisposeScope();
        var rows = Segments?.Count ?? Positions?.Count ?? 0;
        var parts = new List<Rotation>();
        for (var row = 0; row < rows; row++)
        {
            foreach (var (from, count) in Segments is null ? [(0, tokens)] : Pieces(Segments[row], tokens))
            {
                var positions = new long[count];
                for (var i = 0; i < count; i++)
                {
                    positions[i] = Positions?[row][from + i] ?? i;
                }

                // Where angles depend on a length, it is that of the example.
                parts.Add(table.At(positions, (int)positions.Max() + 1));
            }
        }

        return new Rotation(Join(parts.Select(p => p.Cos_R1H)), Join(parts.Select(p => p.Sin_R1H)));

        Tensor Join(IEnumerable<Tensor> angles) => cat([.. angles], 0).view(rows, tokens, 1, -1).MoveToOuterDisposeScope();
    }

    private static List<(int From, int Count)> Pieces(IReadOnlyList<int> lengths, int tokens)
    {
        var pieces = new List<(int, int)>();
        var from = 0;
        foreach (var length in lengths)
        {
            pieces.Add((from, length));
            from += length;
        }

        if (from < tokens)
        {
            pieces.Add((from, tokens - from));
        }

        return pieces;
    }
}
