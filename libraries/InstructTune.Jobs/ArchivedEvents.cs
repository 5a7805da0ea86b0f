using System.Text.Json;
using System.Text.Json.Serialization;

namespace InstructTune.Jobs;

/// <summary>
/// The events of one job as lines of a file, for when the store keeps them no more. Several processes may append the same
/// events; readers take each sequence once.
/// </summary>
internal sealed class ArchivedEvents(string path)
{
    private const byte LineEnd = (byte)'\n';

    private static readonly JsonSerializerOptions Json = new(JobJson.Options) { Converters = { new JsonStringEnumConverter() } };

    public void Append(IEnumerable<JobEventEntry> entries)
    {
        var lines = new MemoryStream();
        foreach (var entry in entries)
        {
            JsonSerializer.Serialize(lines, entry, Json);
            lines.WriteByte(LineEnd);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        if (file.Position > 0 && !EndsWithLine())
        {
            // A process died in the middle of a line.
            file.WriteByte(LineEnd);
        }

        file.Write(lines.GetBuffer().AsSpan(0, (int)lines.Length));
        file.Flush(flushToDisk: true);
    }

    /// <summary>The greatest sequence in the file; 0 where there is none.</summary>
    public long LastSequence() => Read().Select(entry => entry.Sequence).DefaultIfEmpty(0).Max();

    /// <summary>In order, each sequence once.</summary>
    public IEnumerable<JobEventEntry> Read()
    {
        if (!File.Exists(path))
        {
            return [];
        }

        var entries = new SortedDictionary<long, JobEventEntry>();
        foreach (var line in File.ReadLines(path))
        {
            if (TryParse(line) is { } entry)
            {
                entries.TryAdd(entry.Sequence, entry);
            }
        }

        return entries.Values;
    }

    private static JobEventEntry? TryParse(string line)
    {
        try
        {
            return line.Length > 0 ? JsonSerializer.Deserialize<JobEventEntry>(line, Json) : null;
        }
        catch (JsonException)
        {
            // Torn by a crash; the events in it were appended again by whoever came next.
            return null;
        }
    }

    private bool EndsWithLine()
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Seek(-1, SeekOrigin.End);
        return file.ReadByte() == LineEnd;
    }
}
