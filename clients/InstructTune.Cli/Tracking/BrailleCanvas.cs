namespace InstructTune.Cli.Tracking;

/// <summary>A picture of dots, eight to a character: Braille patterns, two dots wide and four high.</summary>
internal sealed class BrailleCanvas(int columns, int rows)
{
    private const char Empty = '\u2800';

    private readonly byte[] _cells = new byte[columns * rows];

    public int Width => columns * 2;

    public int Height => rows * 4;

    /// <summary>Sets a dot; (0, 0) is at the top left. Dots outside are left out.</summary>
    public void Set(int x, int y)
    {
        if (x < 0 || y < 0 || x >= Width || y >= Height)
        {
            return;
        }

        // Unicode numbers the left column 1 2 3 7 from above, the right one 4 5 6 8.
        var (row, isRight) = (y % 4, x % 2 == 1);
        var bit = row == 3 ? (isRight ? 7 : 6) : row + (isRight ? 3 : 0);
        _cells[(y / 4 * columns) + (x / 2)] |= (byte)(1 << bit);
    }

    /// <summary>Sets the dots between two points.</summary>
    public void Line(int fromX, int fromY, int toX, int toY)
    {
        var steps = Math.Max(1, Math.Max(Math.Abs(toX - fromX), Math.Abs(toY - fromY)));
        for (var i = 0; i <= steps; i++)
        {
            var share = (double)i / steps;
            Set((int)Math.Round(fromX + (share * (toX - fromX))), (int)Math.Round(fromY + (share * (toY - fromY))));
        }
    }

    public string Row(int index) =>
        string.Create(columns, (Cells: _cells, Start: index * columns), static (text, state) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = (char)(Empty + state.Cells[state.Start + i]);
            }
        });
}
