using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Api;

internal static class ScoreMapping
{
    public static V1.ScoreResponse ToResponse(Scoring scoring)
    {
        var response = new V1.ScoreResponse { ModelVersion = scoring.ModelVersion, WeightFormat = WeightForms.ToFormat(scoring.Form) };
        response.Scores.AddRange(scoring.Items.Select(ToScore));
        return response;
    }

    private static V1.ScoreResponse.Types.Score ToScore(ItemScore scored)
    {
        var score = new V1.ScoreResponse.Types.Score
        {
            Logprob = scored.Tokens.Sum(token => token.Logprob),
            TokenCount = scored.Tokens.Count,
            IsGreedy = scored.Tokens.All(token => token.IsBest),
            PromptTokenCount = scored.Item.Context.Length,
            CharacterCount = scored.Item.CharacterCount,
            ByteCount = scored.Item.ByteCount,
            TruncatedTokenCount = scored.Item.TruncatedCount,
        };
        score.TokenLogprobs.AddRange(scored.Tokens.Select(token => token.Logprob));
        return score;
    }
}
