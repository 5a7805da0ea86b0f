using System.Text.Unicode;

namespace InstructTune.Modeling.Tokenization;

/// <summary>Turns ids into text one at a time, and holds back the bytes of a character that is not complete yet.</summary>
public sealed class TextStream
{
    private const int LongestCharacter = 4;

    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private readonly byte[] _held = new byte[LongestCharacter];
    private int _heldCount;
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
            return Decode(bytes[0] == (byte)' ' ? bytes[1..] : bytes, flush: false);
        }

        return _heldCount == 0 && _tokenizer.WholeText(id) is { } text ? text : Decode(bytes, flush: false);
    }

    /// <summary>What is left at the end: U+FFFD where the last character never became complete.</summary>
    public string Flush() => Decode([], flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        var length = _heldCount + bytes.Length;
        Span<byte> all = length <= 256 ? stackalloc byte[256] : new byte[length];
        _held.AsSpan(0, _heldCount).CopyTo(all);
        bytes.CopyTo(all[_heldCount..]);
        all = all[..length];

        // Every byte gives one unit at most.
        Span<char> text = length <= 256 ? stackalloc char[256] : new char[length];
        Utf8.ToUtf16(all, text, out var read, out var written, replaceInvalidSequences: true, isFinalBlock: flush);
        _heldCount = length - read;
        all[read..].CopyTo(_held);
        return written == 0 ? "" : new string(text[..written]);
    }
}
