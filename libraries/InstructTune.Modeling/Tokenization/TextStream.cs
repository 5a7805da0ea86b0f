using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary>Turns ids into text one at a time, and holds back the bytes of a character that is not complete yet.</summary>
public sealed class TextStream
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private bool _stripSpace;

    /// <summary>A stream at the beginning of a text.</summary>
    /// <param name="tokenizer">Of the model that makes the ids.</param>
    /// <param name="skipSpecial">Whether special tokens add no text.</param>
    public TextStream(Tokenizer tokenizer, bool skipSpecial = true)
    {
        _tokenizer = tokenizer;
        _skipSpecial = skipSpecial;
        _stripSpace = tokenizer.StripsFirstSpace;
    }

    /// <summary>The text that the id completes; often empty in scripts whose characters span tokens.</summary>
    public string Append(int id)
    {
        if (_skipSpecial && _tokenizer.IsSpecial(id))
        {
            return "";
        }

        var bytes = _tokenizer.TokenBytes(id);
        if (_stripSpace && bytes.Length > 0)
        {
            _stripSpace = false;
            bytes = bytes[0] == (byte)' ' ? bytes[1..] : bytes;
        }

        return Decode(bytes, flush: false);
    }

    /// <summary>What is left at the end: U+FFFD where the last character never became complete.</summary>
    public string Flush() => Decode([], flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> characters = stackalloc char[64];
        var count = _decoder.GetCharCount(bytes, flush);
        var target = count <= characters.Length ? characters : new char[count];
        return new string(target[.._decoder.GetChars(bytes, target, flush)]);
    }
}
