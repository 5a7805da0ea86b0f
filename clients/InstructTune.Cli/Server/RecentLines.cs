namespace InstructTune.Cli.Server;

/// <summary>The last lines a child wrote, to explain why it ended.</summary>
internal sealed class RecentLines(Action<string> onLine)
{
    private const int Kept = 40;
    private readonly Lock _lock = new();
    private readonly Queue<string> _lines = new();

    public async Task ReadAsync(TextReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_lock)
            {
                _lines.Enqueue(line);
                if (_lines.Count > Kept)
                {
                    _lines.Dequeue();
                }
            }

            onLine(line);
        }
    }

    /// <summary>The last line that is not part of a stack trace.</summary>
    public string BestExplanation()
    {
        lock (_lock)
        {
            return _lines.LastOrDefault(line => line.Trim().Length > 0 && !line.TrimStart().StartsWith("at ", StringComparison.Ordinal))?.Trim()
                ?? "it wrote nothing.";
        }
    }
}
