using System.Globalization;
using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary>What a word consists of before merging.</summary>
internal interface IWordSymbols
{
    void Add(ReadOnlySpan<char> word, EncodeScratch scratch);

    /// <summary>The id of the word as one token, or -1.</summary>
    int FindWhole(ReadOnlySpan<char> word, EncodeScratch scratch);
}

/// <summary>Bytes, as GPT-2 and its heirs have it.</summary>
internal sealed class ByteSymbols : IWordSymbols
{
    private readonly int[] _idOfByte = new int[256];
    private readonly Vocabulary _vocabulary;

    public ByteSymbols(Vocabulary vocabulary, int unknown)
    {
        _vocabulary = vocabulary;
        for (var b = 0; b < 256; b++)
        {
            var id = vocabulary.Find(ByteAlphabet.ToCharacter((byte)b).ToString());
            _idOfByte[b] = id >= 0 ? id : unknown;
        }
    }

    public void Add(ReadOnlySpan<char> word, EncodeScratch scratch)
    {
        foreach (var b in Bytes(word, scratch))
        {
            // A byte that the vocabulary lacks is skipped, as in Hugging Face.
            if (_idOfByte[b] >= 0)
            {
                scratch.Merging.Symbols.Add(_idOfByte[b]);
            }
        }
    }

    public int FindWhole(ReadOnlySpan<char> word, EncodeScratch scratch)
    {
        // No token is longer; a text without spaces may be.
        const int longest = 1024;
        var bytes = Bytes(word, scratch);
        if (bytes.Length > longest)
        {
            return -1;
        }

        Span<char> spelling = stackalloc char[longest];
        for (var i = 0; i < bytes.Length; i++)
        {
            spelling[i] = ByteAlphabet.ToCharacter(bytes[i]);
        }

        return _vocabulary.Lookup.TryGetValue(spelling[..bytes.Length], out var id) ? id : -1;
    }

    private static ReadOnlySpan<byte> Bytes(ReadOnlySpan<char> word, EncodeScratch scratch)
    {
        scratch.Bytes.Clear();
        var room = scratch.Bytes.Extend(Encoding.UTF8.GetMaxByteCount(word.Length));
        return room[..Encoding.UTF8.GetBytes(word, room)];
    }
}

/// <summary>Characters, and bytes for those that are not in the vocabulary, as SentencePiece has it.</summary>
internal sealed class CharacterSymbols : IWordSymbols
{
    private readonly int[] _idOfByte = new int[256];
    private readonly Vocabulary _vocabulary;
    private readonly BytePairRules _rules;

    public CharacterSymbols(Vocabulary vocabulary, BytePairRules rules)
    {
        _vocabulary = vocabulary;
        _rules = rules;
        for (var b = 0; b < 256; b++)
        {
            _idOfByte[b] = vocabulary.Find(ByteToken.Spell((byte)b));
        }
    }

    public void Add(ReadOnlySpan<char> word, EncodeScratch scratch)
    {
        var symbols = scratch.Merging.Symbols;
        Span<byte> bytes = stackalloc byte[4];
        var wasUnknown = false;
        while (word.Length > 0)
        {
            Rune.DecodeFromUtf16(word, out var rune, out var width);
            var known = _vocabulary.Lookup.TryGetValue(word[..width], out var id);
            if (known)
            {
                symbols.Add(id);
            }
            else if (HasBytes(bytes[..rune.EncodeToUtf8(bytes)]))
            {
                foreach (var b in bytes[..rune.Utf8SequenceLength])
                {
                    symbols.Add(_idOfByte[b]);
                }

                known = true;
            }
            else if (_rules.UnknownId >= 0 && !(_rules.FuseUnknown && wasUnknown))
            {
                symbols.Add(_rules.UnknownId);
            }

            wasUnknown = !known;
            word = word[width..];
        }
    }

    public int FindWhole(ReadOnlySpan<char> word, EncodeScratch scratch) => _vocabulary.Lookup.TryGetValue(word, out var id) ? id : -1;

    private bool HasBytes(ReadOnlySpan<byte> bytes)
    {
        var all = _rules.ByteFallback;
        foreach (var b in bytes)
        {
            all &= _idOfByte[b] >= 0;
        }

        return all;
    }
}

/// <summary>How vocabularies in the style of SentencePiece spell single bytes.</summary>
internal static class ByteToken
{
    public static string Spell(byte value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    public static bool TryRead(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
