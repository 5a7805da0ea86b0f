using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Engine;

/// <summary>A prompt and the text that is made after it, token by token, into a mailbox.</summary>
internal sealed class GenerationSequence : Sequence
{
    private readonly int[] _ids;
    private readonly Sampler _sampler;
    private readonly OutputText _text;
    private readonly TimeProvider _time;
    private TimeSpan _timeToFirstToken;

    public GenerationSequence(ModelKey model, RequestLife life, GenerationTask task, TimeProvider time)
        : base(model, life, task.CapacityTokens)
    {
        _ids = new int[task.PromptIds.Length + task.Stop.MaxTokens];
        task.PromptIds.CopyTo(_ids, 0);
        _sampler = new Sampler(task.Sampling, task.PromptIds, task.Stop.EndIds);
        _text = new OutputText(task.Tokenizer, task.Stop);
        _time = time;
        Known = task.PromptIds.Length;
    }

    public Mailbox Output { get; } = new();

    public override int TokenAt(int position) => _ids[position];

    public override ChunkWants WantsOf(int from, int to) => to == Known ? ChunkWants.Logits : ChunkWants.Nothing;

    protected override void Take(int to, ChunkOutput output, long now)
    {
        if (to < Known)
        {
            return;
        }
        var id = _sampler.Next(output.Logits_V.Span);
        _ids[Known++] = id;
        if (_text.TokenCount == 0)
        {
            _timeToFirstToken = _time.GetElapsedTime(Life.Arrived, now);
        }
        var certain = _text.Append(id);
        var figures = new GenerationFigures(_text.TokenCount, _time.GetElapsedTime(Life.Arrived, Started), _timeToFirstToken);
        if (_text.Reason == StopReason.None)
        {
            Output.Put(certain, id, figures, end: null);
            return;
        }
        End();
        Output.Put(certain, id, figures, new GenerationEnd(_text.Reason, _text.StopSequence ?? ""));
    }

    protected override void Report(Exception exception) => Output.Fail(exception);
}
