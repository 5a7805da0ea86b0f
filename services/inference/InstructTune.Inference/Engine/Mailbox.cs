using System.Runtime.ExceptionServices;
using System.Text;
using System.Threading.Channels;
using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Engine;

/// <summary>
/// Between the engine and one reader. The engine puts and never waits; what the reader has not taken yet is merged into one update,
/// up to <see cref="MaxBytes"/>.
/// </summary>
/// <param name="tellsAll">False where the reader wants the whole only: it is not woken for every token.</param>
internal sealed class Mailbox(bool tellsAll = true)
{
    /// <summary>More than this is kept for no reader, whatever it asked for.</summary>
    public const int MaxBytes = 1 << 20;

    private const int LogprobBytes = 16;

    private readonly Lock _lock = new();
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(1);
    private readonly StringBuilder _text = new();
    private List<int> _ids = [];
    private List<TokenReport> _reports = [];
    private IReadOnlyList<TokenReport>? _promptReports;
    private GenerationFigures _figures;
    private GenerationEnd? _end;
    private ExceptionDispatchInfo? _fault;
    private int _sizeBytes;
    private bool _isEmpty = true;

    /// <summary>As of the last token.</summary>
    public GenerationFigures Figures
    {
        get
        {
            lock (_lock)
            {
                return _figures;
            }
        }
    }

    /// <summary>Once, before the first token.</summary>
    public void PutPrompt(IReadOnlyList<TokenReport> reports)
    {
        lock (_lock)
        {
            _promptReports = reports;
        }
    }

    /// <exception cref="MailboxFullException">The reader does not read. What it has not taken is still there.</exception>
    public void Put(string text, int tokenId, GenerationFigures figures, GenerationEnd? end, TokenReport? report = null)
    {
        lock (_lock)
        {
            var sizeBytes = (text.Length * sizeof(char)) + sizeof(int) + (report is null ? 0 : (report.Alternatives.Count + 1) * LogprobBytes);
            if (end is null && _sizeBytes + sizeBytes > MaxBytes)
            {
                throw new MailboxFullException();
            }
            _sizeBytes += sizeBytes;
            if (report is not null)
            {
                _reports.Add(report);
            }
            _text.Append(text);
            _ids.Add(tokenId);
            _figures = figures;
            _end = end;
            if (tellsAll || end is not null || _sizeBytes > MaxBytes / 2)
            {
                Announce();
            }
        }
    }

    public void Fail(Exception exception)
    {
        lock (_lock)
        {
            _fault = ExceptionDispatchInfo.Capture(exception);
            Announce();
        }
    }

    /// <summary>Waits for something new. Throws what the sequence failed with, after everything before it was taken.</summary>
    public async Task<GenerationUpdate> TakeAsync(CancellationToken cancellationToken)
    {
        await _news.Reader.ReadAsync(cancellationToken);
        lock (_lock)
        {
            _isEmpty = true;
            if (_ids.Count == 0)
            {
                _fault?.Throw();
            }
            var update = new GenerationUpdate(_text.ToString(), _ids, _figures, _end) { Reports = _reports, PromptReports = _promptReports };
            _text.Clear();
            _sizeBytes = 0;
            (_ids, _reports, _promptReports) = ([], [], null);
            if (_fault is not null)
            {
                Announce();
            }
            return update;
        }
    }

    private void Announce()
    {
        if (_isEmpty)
        {
            _isEmpty = false;
            _news.Writer.TryWrite(true);
        }
    }
}
