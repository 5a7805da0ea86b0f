using Google.Protobuf.WellKnownTypes;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Api;

internal static class ScoreMapping
{
    public static V1.ScoreResponse ToResponse(Scoring scoring, bool hidesCachedTokens)
    {
        var response = new V1.ScoreResponse
        {
            ModelVersion = scoring.ModelVersion,
            WeightFormat = WeightForms.ToFormat(scoring.Form),
            Usage = new V1.Usage
            {
                PromptTokens = scoring.PromptTokens,
                CachedPromptTokens = hidesCachedTokens ? 0 : scoring.CachedTokens,
                QueueTime = Duration.FromTimeSpan(scoring.QueueTime),
            },
        };
        response.Scores.AddRange(scoring.Items.Select(item => ToScore(scoring, item)));
        return response;
    }

    private static V1.ScoreResponse.Types.Score ToScore(Scoring scoring, ItemScore scored)
    {
        var tokens = scored.Score.Tokens;
        var score = new V1.ScoreResponse.Types.Score
        {
            Logprob = tokens.Sum(token => token.Logprob),
            TokenCount = tokens.Length,
            IsGreedy = tokens.All(token => token.IsBest),
            PromptTokenCount = scored.Item.Context.Length,
            CharacterCount = scored.Item.CharacterCount,
            ByteCount = scored.Item.ByteCount,
            BoundaryMerged = scored.Item.IsMerged,
            TruncatedTokenCount = scored.Item.TruncatedCount,
        };
        score.TokenLogprobs.AddRange(tokens.Select(token => token.Logprob));
        score.LabelLogprobs.AddRange(scored.Score.Labels);
        score.Tokens.AddRange(TokenMapping.ToTokens(scoring.Tokenizer, tokens.Select(token => token.Report).OfType<Modeling.Generation.TokenReport>()));
        return score;
    }
}
