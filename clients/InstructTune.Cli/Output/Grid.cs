using Spectre.Console;

namespace InstructTune.Cli.Output;

/// <summary>A table: with borders for people, aligned columns for pipes.</summary>
internal sealed class Grid(params string[] headers)
{
    private readonly List<string[]> _rows = [];

    public int RowCount => _rows.Count;

    public Grid Add(params string[] cells)
    {
        _rows.Add(cells);
        return this;
    }

    public void WriteTo(Terminal terminal)
    {
        if (terminal.IsRich)
        {
            WriteRich(terminal.Out);
        }
        else
        {
            WritePlain(terminal.Out);
        }
    }

    private void WriteRich(TextWriter writer)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var header in headers)
        {
            table.AddColumn(new TableColumn(new Text(header, new Style(decoration: Decoration.Bold))));
        }

        foreach (var row in _rows)
        {
            table.AddRow(row.Select(cell => new Text(cell)));
        }

        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) }).Write(table);
    }

    private void WritePlain(TextWriter writer)
    {
        var widths = headers.Select((header, column) => _rows.Select(row => row[column].Length).Append(header.Length).Max()).ToArray();
        foreach (var row in _rows.Prepend(headers))
        {
            writer.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        }
    }
}
