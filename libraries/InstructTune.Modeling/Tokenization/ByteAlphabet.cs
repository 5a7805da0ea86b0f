namespace InstructTune.Modeling.Tokenization;

/// <summary>The printable character that byte-level vocabularies write for each byte.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = MakeCharacters();
    private static readonly int[] Bytes = MakeBytes();

    public static char ToCharacter(byte value) => Characters[value];

    /// <summary>The byte of a character, or -1.</summary>
    public static int ToByte(char character) => character < Bytes.Length ? Bytes[character] : -1;

    /// <summary>Bytes as such vocabularies spell them.</summary>
    public static string Spell(ReadOnlySpan<byte> bytes) => string.Create(bytes.Length, bytes, static (spelling, source) =>
    {
        for (var i = 0; i < spelling.Length; i++)
        {
            spelling[i] = ToCharacter(source[i]);
        }
    });

    private static char[] MakeCharacters()
    {
        var characters = new char[256];
        var moved = 0;
        for (var b = 0; b < 256; b++)
        {
            var printable = b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE;
            characters[b] = printable ? (char)b : (char)(256 + moved++);
        }

        return characters;
    }

    private static int[] MakeBytes()
    {
        var bytes = new int[Characters.Max() + 1];
        Array.Fill(bytes, -1);
        for (var b = 0; b < 256; b++)
        {
            bytes[Characters[b]] = b;
        }

        return bytes;
    }
}
