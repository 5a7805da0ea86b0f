using System.Threading.Channels;

namespace InstructTune.Evaluation.Results;

/// <summary>
/// The answers of one attempt, appended to its own file. Answers that come together are flushed to the disk together.
/// </summary>
internal sealed class ResultJournal : IAsyncDisposable
{
    private readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly FileStream _file;
    private readonly Task _writing;

    public ResultJournal(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Returns once the answer is on the disk.</summary>
    public Task AppendAsync(Answer answer)
    {
        var entry = new Entry(AnswerLine.Write(answer));
        return _entries.Writer.TryWrite(entry)
            ? entry.Written.Task
            : Task.FromException(new ObjectDisposedException(nameof(ResultJournal)));
    }

    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _writing;
        await _file.DisposeAsync();
    }

    private async Task WriteAsync()
    {
        var batch = new List<Entry>();
        while (await _entries.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (_entries.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
            }
            Flush(batch);
        }
    }

    private void Flush(List<Entry> batch)
    {
        try
        {
            batch.ForEach(entry => _file.Write(entry.Line));
            _file.Flush(flushToDisk: true);
        }
        catch (IOException exception)
        {
            // Whoever waits for these answers learns of it, and the attempt ends.
            batch.ForEach(entry => entry.Written.TrySetException(exception));
            return;
        }
        batch.ForEach(entry => entry.Written.TrySetResult());
    }

    private sealed record Entry(byte[] Line)
    {
        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
