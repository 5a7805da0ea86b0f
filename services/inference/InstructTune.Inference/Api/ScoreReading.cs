using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Api;

/// <summary>A score request into records.</summary>
internal static class ScoreReading
{
    private const int MaxItems = 256;

    public static ScoreCall Read(V1.ScoreRequest request, WeightForm configured, Metadata headers)
    {
        FieldViolations violations = new();
        var standing = StandingReading.Read(request.Priority, request.Tenant, headers, violations);
        ModelNames.Check(request.Model, violations);
        violations.Check(request.Items.Count is > 0 and <= MaxItems, "items", $"must have 1 to {MaxItems} entries");
        ScoreItem[] items = [.. request.Items.Take(MaxItems).Select((item, index) => ReadItem(item, $"items[{index}]", violations))];
        violations.Check(request.TopLogprobs is >= 0 and <= TokenReport.MaxAlternatives, "top_logprobs", $"must be from 0 to {TokenReport.MaxAlternatives}");
        WeightForms.Check(request.WeightFormat, violations);
        violations.ThrowIfAny();
        return new ScoreCall(request.Model, items, request.TruncateContexts)
        {
            Standing = standing, Form = WeightForms.Read(request.WeightFormat, configured), Alternatives = request.TopLogprobs, BeginsText = !request.OmitBeginningOfText,
        };
    }

    private static ScoreItem ReadItem(V1.ScoreRequest.Types.Item item, string field, FieldViolations violations)
    {
        violations.Check(item.LabelTokenIds.Count <= TokenReport.MaxTokenIds, field + ".label_token_ids", $"must have at most {TokenReport.MaxTokenIds} entries");
        return new(PromptReading.ReadContext(item, field, violations), ReadTarget(item, field, violations), [.. item.LabelTokenIds]);
    }

    private static ScoreTargetText ReadTarget(V1.ScoreRequest.Types.Item item, string field, FieldViolations violations)
    {
        switch (item.TargetCase)
        {
            case V1.ScoreRequest.Types.Item.TargetOneofCase.Continuation:
                return new ScoreTargetText.Text(item.Continuation);
            case V1.ScoreRequest.Types.Item.TargetOneofCase.ContinuationTokenIds:
                return new ScoreTargetText.Ids([.. item.ContinuationTokenIds.Ids]);
            default:
                violations.Check(
                    item.LabelTokenIds.Count > 0, field + ".target", "must be one of continuation, continuation_token_ids; each may be empty, and absent where there are labels");
                return new ScoreTargetText.Text("");
        }
    }
}
