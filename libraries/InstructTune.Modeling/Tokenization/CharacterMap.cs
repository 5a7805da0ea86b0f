using System.Buffers.Binary;
using System.Text;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>
/// SentencePiece's compiled rules of normalization (`precompiled_charsmap`): a double-array trie over UTF-8, whose leaves are places in a list of replacements.
/// </summary>
internal sealed class CharacterMap
{
    private readonly uint[] _units;
    private readonly byte[] _replacements;

    private CharacterMap(uint[] units, byte[] replacements) => (_units, _replacements) = (units, replacements);

    public static CharacterMap Read(string file, ReadOnlySpan<byte> blob)
    {
        var size = blob.Length >= sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(blob) : 0;
        var rest = blob.Length >= sizeof(uint) ? blob[sizeof(uint)..] : [];
        if (size < 1024 || size % sizeof(uint) != 0 || size >= (uint)rest.Length || rest[^1] != 0)
        {
            throw new ModelFormatException(file, "normalizer_spec.precompiled_charsmap", "is damaged: it must be a size, a trie, and texts that end with zero bytes");
        }

        var units = new uint[size / sizeof(uint)];
        for (var i = 0; i < units.Length; i++)
        {
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(rest[(i * sizeof(uint))..]);
        }

        return new CharacterMap(units, rest[(int)size..].ToArray());
    }

    /// <summary>The longest rule that the text begins with: how many bytes it takes, and what it puts in their place.</summary>
    public bool TryMatch(ReadOnlySpan<byte> utf8, out int length, out ReadOnlySpan<byte> replacement)
    {
        length = 0;
        replacement = [];
        var at = Offset(_units[0]);
        for (var i = 0; i < utf8.Length && utf8[i] != 0; i++)
        {
            at ^= utf8[i];
            if (at >= (uint)_units.Length || (_units[at] & 0x8000_00FF) != utf8[i])
            {
                break;
            }

            var hasLeaf = ((_units[at] >> 8) & 1) != 0;
            at ^= Offset(_units[at]);
            if (hasLeaf && at < (uint)_units.Length && (_units[at] & 0x7FFF_FFFF) is var place && place < (uint)_replacements.Length)
            {
                var text = _replacements.AsSpan((int)place);
                length = i + 1;
                replacement = text[..text.IndexOf((byte)0)];
            }
        }

        return length > 0;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & (1 << 9)) >> 6);
}

/// <summary>Rewrites a text by a map, from left to right; what no rule begins with stays.</summary>
internal sealed class CharacterMapStep(CharacterMap map) : NormalizerStep
{
    public override bool TryRewrite(ReadOnlySpan<char> text, bool continues, Buffer<char> output)
    {
        var utf8 = Encoding.UTF8.GetBytes(text.ToString()).AsSpan();
        while (!utf8.IsEmpty)
        {
            if (!map.TryMatch(utf8, out var length, out var replacement))
            {
                Rune.DecodeFromUtf8(utf8, out _, out length);
                replacement = utf8[..length];
            }

            Encoding.UTF8.GetChars(replacement, output.Extend(Encoding.UTF8.GetCharCount(replacement)));
            utf8 = utf8[length..];
        }

        return true;
    }
}
