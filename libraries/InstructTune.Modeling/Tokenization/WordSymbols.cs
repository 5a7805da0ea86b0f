using System.Buffers;
using System.Globalization;
using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary>What a word consists of before merging.</summary>
internal interface IWordSymbols
{
    void Add(ReadOnlySpan<char> word, List<int> ids);

    /// <summary>The id of the word as one token, or -1.</summary>
    int FindWhole(ReadOnlySpan<char> word);
}

/// <summary>Bytes, as GPT-2 and its heirs have it.</summary>
internal sealed class ByteSymbols : IWordSymbols
{
    private readonly int[] _idOfByte = new int[256];
    private readonly Vocabulary _vocabulary;

    public ByteSymbols(JsonItem model, Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        var unknown = UnknownToken.Find(model, vocabulary);
        for (var b = 0; b < 256; b++)
        {
            var id = vocabulary.Find(ByteAlphabet.ToCharacter((byte)b).ToString());
            _idOfByte[b] = id >= 0 ? id : unknown;
        }
    }

    public void Add(ReadOnlySpan<char> word, List<int> ids)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(word.Length));
        foreach (var b in bytes.AsSpan(0, Encoding.UTF8.GetBytes(word, bytes)))
        {
            // A byte that the vocabulary lacks is skipped, as in Hugging Face.
            if (_idOfByte[b] >= 0)
            {
                ids.Add(_idOfByte[b]);
            }
        }

        ArrayPool<byte>.Shared.Return(bytes);
    }

    public int FindWhole(ReadOnlySpan<char> word)
    {
        var bytes = Encoding.UTF8.GetBytes(word.ToString());
        return _vocabulary.Find(string.Create(bytes.Length, bytes, static (characters, b) =>
        {
            for (var i = 0; i < characters.Length; i++)
            {
                characters[i] = ByteAlphabet.ToCharacter(b[i]);
            }
        }));
    }
}

/// <summary>Characters, and bytes for those that are not in the vocabulary, as SentencePiece has it.</summary>
internal sealed class CharacterSymbols : IWordSymbols
{
    private readonly int[] _idOfByte = new int[256];
    private readonly Vocabulary _vocabulary;
    private readonly int _unknown;
    private readonly bool _byteFallback;
    private readonly bool _fuseUnknown;

    public CharacterSymbols(JsonItem model, Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _unknown = UnknownToken.Find(model, vocabulary);
        _byteFallback = model.Flag("byte_fallback");
        _fuseUnknown = model.Flag("fuse_unk");
        for (var b = 0; b < 256; b++)
        {
            _idOfByte[b] = vocabulary.Find(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"));
        }
    }

    public void Add(ReadOnlySpan<char> word, List<int> ids)
    {
        Span<byte> bytes = stackalloc byte[4];
        var wasUnknown = false;
        while (word.Length > 0)
        {
            Rune.DecodeFromUtf16(word, out var rune, out var width);
            var known = _vocabulary.Lookup.TryGetValue(word[..width], out var id);
            if (known)
            {
                ids.Add(id);
            }
            else if (HasBytes(bytes[..rune.EncodeToUtf8(bytes)]))
            {
                foreach (var b in bytes[..rune.Utf8SequenceLength])
                {
                    ids.Add(_idOfByte[b]);
                }

                known = true;
            }
            else if (_unknown >= 0 && !(_fuseUnknown && wasUnknown))
            {
                ids.Add(_unknown);
            }

            wasUnknown = !known;
            word = word[width..];
        }
    }

    public int FindWhole(ReadOnlySpan<char> word) => _vocabulary.Lookup.TryGetValue(word, out var id) ? id : -1;

    private bool HasBytes(ReadOnlySpan<byte> bytes)
    {
        var all = _byteFallback;
        foreach (var b in bytes)
        {
            all &= _idOfByte[b] >= 0;
        }

        return all;
    }
}

/// <summary>The token for what a vocabulary cannot write.</summary>
internal static class UnknownToken
{
    public static int Find(JsonItem model, Vocabulary vocabulary)
    {
        var item = model.Optional("unk_token");
        if (item.IsNull)
        {
            return -1;
        }

        var id = vocabulary.Find(item.Text());
        return id >= 0 ? id : throw item.Refuse($"`{item.Text()}` is not in the vocabulary");
    }
}
