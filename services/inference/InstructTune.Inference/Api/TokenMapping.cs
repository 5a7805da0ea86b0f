using Google.Protobuf;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Api;

/// <summary>Log-probabilities of tokens, as messages.</summary>
internal static class TokenMapping
{
    public static IEnumerable<V1.TokenLogprob> ToTokens(Tokenizer tokenizer, IEnumerable<TokenReport> reports) =>
        reports.Select(report => ToToken(tokenizer, report));

    /// <summary>With the first token, of which nothing can be told.</summary>
    public static IEnumerable<V1.TokenLogprob> ToPrompt(Generation generation, IReadOnlyList<TokenReport> reports)
    {
        var first = generation.PromptIds[0];
        return ToTokens(generation.Tokenizer, reports).Prepend(new V1.TokenLogprob { TokenId = first, Bytes = Bytes(generation.Tokenizer, first) });
    }

    private static V1.TokenLogprob ToToken(Tokenizer tokenizer, TokenReport report)
    {
        var message = new V1.TokenLogprob
        {
            TokenId = report.Chosen.TokenId, Bytes = Bytes(tokenizer, report.Chosen.TokenId), Logprob = report.Chosen.Logprob,
        };
        message.Alternatives.AddRange(report.Alternatives.Select(alternative => new V1.TokenLogprob.Types.Alternative
        {
            TokenId = alternative.TokenId, Bytes = Bytes(tokenizer, alternative.TokenId), Logprob = alternative.Logprob,
        }));
        return message;
    }

    private static ByteString Bytes(Tokenizer tokenizer, int id) => ByteString.CopyFrom(tokenizer.TokenBytes(id));
}
