using System.Text;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Numerics.Tests.Prompts;

/// <summary>How other programs divide a text whose control tokens are read as such. Nothing of the product does this with text of users.</summary>
internal static class SpellingRule
{
    /// <summary>Prompt and whole are counted with the beginning-of-text token; what the prompt alone would have is masked.</summary>
    public static EncodedExample Stanford(Tokenizer tokenizer, string prompt, string output)
    {
        var whole = Whole(tokenizer, prompt + output + End(tokenizer));
        var masked = Whole(tokenizer, prompt).Length;
        return new(whole, [.. whole.Select((_, i) => i >= masked)]);
    }

    /// <summary>What the two lists of ids have in common is masked; the end is added where the completion does not end with it.</summary>
    public static EncodedExample Trl(Tokenizer tokenizer, string prompt, string completion)
    {
        var end = End(tokenizer);
        var whole = Whole(tokenizer, prompt + (completion.EndsWith(end, StringComparison.Ordinal) ? completion : completion + end));
        var masked = whole.AsSpan().CommonPrefixLength(Whole(tokenizer, prompt));
        return new(whole, [.. whole.Select((_, i) => i >= masked)]);
    }

    public static string End(Tokenizer tokenizer) => Encoding.UTF8.GetString(tokenizer.TokenBytes(tokenizer.EndOfTextIds[0]));

    public static int[] Whole(Tokenizer tokenizer, string text)
    {
        int[] begin = tokenizer.FindToken(tokenizer.NamedTokens["bos_token"]) is { } id ? [id] : [];
        return [.. begin, .. tokenizer.Encode(text, parseSpecial: true)];
    }
}
