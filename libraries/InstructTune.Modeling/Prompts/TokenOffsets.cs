using System.Text;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>Which bytes of a text each of its tokens stands for.</summary>
internal static class TokenOffsets
{
    /// <summary>Start and end in bytes of UTF-8, for each id in turn.</summary>
    public static (int Start, int End)[] Of(Tokenizer tokenizer, ReadOnlySpan<int> ids, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var offsets = new (int, int)[ids.Length];
        var at = 0;
        for (var i = 0; i < ids.Length; i++)
        {
            var token = tokenizer.TokenBytes(ids[i]);
            var rest = bytes.AsSpan(at);

            // A tokenizer may put a space in front of a text that has none.
            if (!rest.StartsWith(token) && token.Length > 0 && token[0] == (byte)' ')
            {
                token = token[1..];
            }

            var skipped = rest.StartsWith(token) ? 0 : Math.Max(0, rest.IndexOf(token));
            offsets[i] = (at, Math.Min(bytes.Length, at + skipped + token.Length));
            at = offsets[i].Item2;
        }

        return offsets;
    }
}
