using System.Text;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Api;

/// <summary>Joins updates into one answer, so that the unary method says what the streaming one says.</summary>
internal sealed class GenerateAnswer(Generation generation)
{
    private readonly StringBuilder _text = new();
    private readonly List<int> _ids = [];
    private GenerationUpdate? _last;

    public bool IsComplete => _last?.End is not null;

    public GenerationFigures Figures => _last!.Figures;

    public void Append(GenerationUpdate update)
    {
        _text.Append(update.Text);
        _ids.AddRange(update.TokenIds);
        _last = update;
    }

    public V1.GenerateResponse ToResponse()
    {
        var response = new V1.GenerateResponse
        {
            Text = _text.ToString(),
            Usage = GenerateMapping.ToUsage(generation.PromptTokens, _last!.Figures),
            ModelVersion = generation.ModelVersion,
            Seed = generation.Seed,
            FinishReason = GenerateMapping.ToFinishReason(_last.End!.Reason),
            StopSequence = _last.End.StopSequence,
        };
        response.TokenIds.Add(_ids);
        return response;
    }
}
