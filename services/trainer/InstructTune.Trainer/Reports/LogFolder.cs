using System.Text;
using InstructTune.Storage;

namespace InstructTune.Trainer.Reports;

/// <summary>
/// The logs of an attempt as files that can be read while it runs. A log never stops a job: what a full disk refused is written again, whole, with the next row.
/// </summary>
internal sealed class LogFolder(string path, string job, int attempt)
{
    private bool _isBehind = true;
    private string _events = "";

    /// <summary>Writes the new rows, and all of them where the files are not there yet.</summary>
    /// <param name="rows">All.</param>
    /// <param name="newCount">How many of them, at the end, are new.</param>
    /// <param name="texts">What TensorBoard shows as texts, by tag.</param>
    public void Write(IReadOnlyList<LoggedRow> rows, int newCount, IReadOnlyDictionary<string, string> texts)
    {
        try
        {
            if (_isBehind)
            {
                Rewrite(rows, texts);
            }
            else
            {
                foreach (var row in rows.Skip(rows.Count - newCount))
                {
                    Append(RowFile.FileName, Encoding.UTF8.GetBytes(RowFile.Line(row) + "\n"));
                    Append(TrainerLog.FileName, Encoding.UTF8.GetBytes(TrainerLog.Line(row) + "\n"));
                    Append(_events, [.. EventRecord.Of(row).SelectMany(record => record)]);
                }
            }

            _isBehind = false;
        }
        catch (IOException)
        {
            _isBehind = true;
        }
    }

    /// <summary>Writes a file that is made anew each time.</summary>
    public void WriteWhole(string name, byte[] content)
    {
        try
        {
            AtomicFile.Write(Path.Combine(path, name), content);
        }
        catch (IOException)
        {
            // The next one says more.
        }
    }

    private void Rewrite(IReadOnlyList<LoggedRow> rows, IReadOnlyDictionary<string, string> texts)
    {
        Directory.CreateDirectory(path);
        var started = rows.Count == 0 ? 0 : rows[0].UnixSeconds;
        _events = EventRecord.FileName(started, job, attempt);
        AtomicFile.Write(Path.Combine(path, RowFile.FileName), Encoding.UTF8.GetBytes(string.Concat(rows.Select(row => RowFile.Line(row) + "\n"))));
        AtomicFile.Write(Path.Combine(path, TrainerLog.FileName), Encoding.UTF8.GetBytes(string.Concat(rows.Select(row => TrainerLog.Line(row) + "\n"))));
        var records = texts.Select(text => EventRecord.Text(started, text.Key, text.Value)).Concat(rows.SelectMany(EventRecord.Of));
        AtomicFile.Write(Path.Combine(path, _events), [.. EventRecord.Version(started), .. records.SelectMany(record => record)]);
    }

    private void Append(string file, byte[] content)
    {
        using var stream = new FileStream(Path.Combine(path, file), FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        stream.Write(content);
    }
}
