using System.Text;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Api;

/// <summary>Joins the updates of one candidate, so that the unary method says what the streaming one says.</summary>
internal sealed class GenerateAnswer(Generation generation)
{
    private readonly StringBuilder _text = new();
    private readonly List<int> _ids = [];
    private readonly List<TokenReport> _reports = [];
    private GenerationUpdate? _last;

    /// <summary>Null where they were not asked for.</summary>
    public IReadOnlyList<TokenReport>? PromptReports { get; private set; }

    public void Append(GenerationUpdate update)
    {
        PromptReports ??= update.PromptReports;
        _text.Append(update.Text);
        _ids.AddRange(update.TokenIds);
        _reports.AddRange(update.Reports);
        _last = update;
    }

    public V1.GenerateResponse.Types.Candidate ToCandidate()
    {
        var end = _last!.End!;
        var candidate = new V1.GenerateResponse.Types.Candidate
        {
            Text = _text.ToString(),
            FinishReason = GenerateMapping.ToFinishReason(end),
            StopSequence = end.StopSequence,
            Error = end.Error ?? "",
        };
        candidate.TokenIds.Add(_ids);
        candidate.Tokens.AddRange(TokenMapping.ToTokens(generation.Tokenizer, _reports));
        return candidate;
    }
}
