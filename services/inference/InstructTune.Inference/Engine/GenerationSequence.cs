using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Engine;

/// <summary>A prompt and the text that is made after it, token by token, into a mailbox.</summary>
internal sealed class GenerationSequence : Sequence
{
    private readonly int[] _ids;
    private readonly Sampler _sampler;
    private readonly OutputText _text;
    private readonly TimeProvider _time;
    private readonly ReportWish? _wish;
    private readonly ReportWish? _promptWish;
    private readonly List<TokenReport> _promptReports = [];
    private readonly int _promptTokens;
    private TimeSpan _timeToFirstToken;

    public GenerationSequence(ModelKey model, RequestLife life, GenerationTask task, TimeProvider time)
        : base(model, life, task.CapacityTokens)
    {
        _ids = new int[task.PromptIds.Length + task.Stop.MaxTokens];
        task.PromptIds.CopyTo(_ids, 0);
        _sampler = new Sampler(task.Sampling, task.PromptIds, task.Stop.EndIds, (uint)task.Choice);
        _text = new OutputText(task.Tokenizer, task.Stop);
        _time = time;
        (_wish, _promptWish, _promptTokens) = (task.Reports, task.PromptReports, task.PromptIds.Length);
        Known = _promptTokens;
        Output = new Mailbox(task.TellsAll);
    }

    public Mailbox Output { get; }

    public override int PromptTokens => _promptTokens;

    protected override bool RepeatsSingly => true;

    public override int TokenAt(int position) => _ids[position];

    public override ChunkWants WantsOf(int from, int to)
    {
        var wants = to == Known ? ChunkWants.Logits : ChunkWants.Nothing;
        return _promptWish is null || _text.TokenCount > 0 || from >= _promptTokens - 1
            ? wants
            : wants with
            {
                Reports = [.. Enumerable.Range(from, Math.Min(to, _promptTokens - 1) - from).Select(p => new ScoreTarget(p, _ids[p + 1]))],
                Wish = _promptWish,
            };
    }

    protected override void Take(int to, ChunkOutput output, long now)
    {
        _promptReports.AddRange(output.Reports);
        if (to < Known)
        {
            return;
        }
        if (_text.TokenCount == 0 && _promptWish is not null)
        {
            Output.PutPrompt(_promptReports);
        }
        var id = _sampler.Next(output.Logits_V.Span);
        var report = _wish is null ? null : TokenReport.Of(output.WholeRow.Span, id, _wish.Alternatives, _wish.TokenIds, output.Logits_V.Length);
        _ids[Known++] = id;
        if (_text.TokenCount == 0)
        {
            _timeToFirstToken = _time.GetElapsedTime(Life.Arrived, now);
        }
        var certain = _text.Append(id);
        var figures = new GenerationFigures(_text.TokenCount, _time.GetElapsedTime(Life.Arrived, Started), _timeToFirstToken, CachedTokens);
        if (_text.Reason == StopReason.None)
        {
            Output.Put(certain, id, figures, end: null, report);
            return;
        }
        End();
        Output.Put(certain, id, figures, new GenerationEnd(_text.Reason, _text.StopSequence ?? ""), report);
    }

    /// <summary>Reports of the prompt that were handed over are not made again.</summary>
    protected override void OnRestart()
    {
        if (_text.TokenCount == 0)
        {
            _promptReports.Clear();
        }
    }

    protected override void Report(Exception exception) => Output.Fail(exception);
}
