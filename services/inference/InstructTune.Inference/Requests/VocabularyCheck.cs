namespace InstructTune.Inference.Requests;

/// <summary>Ids that callers give, against the vocabulary of the model. An id outside of it would read past the embedding.</summary>
internal static class VocabularyCheck
{
    public static IEnumerable<FieldProblem> Of(GenerateCall call, int vocabularySize) =>
    [
        .. OfIds(call.Input is PromptInput.Ids ids ? ids.TokenIds : [], "token_ids.ids", vocabularySize),
        .. OfIds(call.StopTokenIds, "stop_token_ids", vocabularySize),
        .. OfIds([.. call.Sampling.LogitBias.Keys.Order()], "sampling.logit_bias", vocabularySize),
        .. OfIds(call.Sampling.AllowedTokenIds, "sampling.allowed_token_ids", vocabularySize),
        .. OfIds(call.Reports?.TokenIds ?? [], "logprob_token_ids", vocabularySize),
    ];

    public static IEnumerable<FieldProblem> Of(ScoreCall call, int vocabularySize) =>
        call.Items.Index().SelectMany(entry => Of(entry.Item, $"items[{entry.Index}]", vocabularySize));

    private static IEnumerable<FieldProblem> Of(ScoreItem item, string field, int vocabularySize) =>
    [
        .. OfIds(item.Context is PromptInput.Ids ids ? ids.TokenIds : [], field + ".prompt_token_ids.ids", vocabularySize),
        .. OfIds(
            item.Target is ScoreTargetText.Ids target ? target.TokenIds : [], field + ".continuation_token_ids.ids", vocabularySize),
        .. OfIds(item.Labels, field + ".label_token_ids", vocabularySize),
    ];

    private static IEnumerable<FieldProblem> OfIds(IReadOnlyList<int> ids, string field, int vocabularySize)
    {
        var outside = ids.Index().Where(entry => entry.Item < 0 || entry.Item >= vocabularySize).Take(1);
        return outside.Select(entry => new FieldProblem(
            $"{field}[{entry.Index}]", $"must be a token id of the model, from 0 to {vocabularySize - 1}; got {entry.Item}"));
    }
}
