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
    private readonly int[] idOfByte = new int[256];
    private readonly Vocabulary vocabulary;

    public ByteSymbols(JsonItem model, Vocabulary vocabulary)
    {
        this.vocabulary = vocabulary;
        var unknown = UnknownToken.Find(model, vocabulary);
        for (var b = 0; b < 256; b++)
        {
            var id = vocabulary.Find(ByteAlphabet.ToCharacter((byte)b).ToString());
            idOfByte[b] = id >= 0 ? id : unknown;
        }
    }

    public void Add(ReadOnlySpan<char> word, List<int> ids)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(word.Length));
        foreach (var b in bytes.AsSpan(0, Encoding.UTF8.GetBytes(word, bytes)))
        {
            // A byte that the vocabulary lacks is skipped, as in Hugging Face.
            if (idOfByte[b] >= 0)
            {
                ids.Add(idOfByte[b]);
            }
        }

        ArrayPool<byte>.Shared.Return(bytes);
    }

    public int FindWhole(ReadOnlySpan<char> word)
    {
        var bytes = Encoding.UTF8.GetBytes(word.ToString());
        return vocabulary.Find(string.Create(bytes.Length, bytes, static (characters, b) =>
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
    private readonly int[] idOfByte = new int[256];
    private readonly Vocabulary vocabulary;
    private readonly int unknown;
    private readonly bool byteFallback;
    private readonly bool fuseUnknown;

    public CharacterSymbols(JsonItem model, Vocabulary vocabulary)
    {
        this.vocabulary = vocabulary;
        unknown = UnknownToken.Find(model, vocabulary);
        byteFallback = model.Flag("byte_fallback");
        fuseUnknown = model.Flag("fuse_unk");
        for (var b = 0; b < 256; b++)
        {
            idOfByte[b] = vocabulary.Find(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"));
        }
    }

    public void Add(ReadOnlySpan<char> word, List<int> ids)
    {
        Span<byte> bytes = stackalloc byte[4];
        var wasUnknown = false;
        while (word.Length > 0)
        {
            Rune.DecodeFromUtf16(word, out var rune, out var width);
            var known = vocabulary.Lookup.TryGetValue(word[..width], out var id);
            if (known)
            {
                ids.Add(id);
            }
            else if (HasBytes(bytes[..rune.EncodeToUtf8(bytes)]))
            {
                foreach (var b in bytes[..rune.Utf8SequenceLength])
                {
                    ids.Add(idOfByte[b]);
                }

                known = true;
            }
            else if (unknown >= 0 && !(fuseUnknown && wasUnknown))
            {
                ids.Add(unknown);
            }

            wasUnknown = !known;
            word = word[width..];
        }
    }

    public int FindWhole(ReadOnlySpan<char> word) => vocabulary.Lookup.TryGetValue(word, out var id) ? id : -1;

    private bool HasBytes(ReadOnlySpan<byte> bytes)
    {
        var all = byteFallback;
        foreach (var b in bytes)
        {
            all &= idOfByte[b] >= 0;
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
