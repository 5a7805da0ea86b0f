using System.Text;

namespace InstructTune.Fuzz;

/// <summary>A tokenizer.model of SentencePiece, made field by field.</summary>
internal sealed class SentencePieceBytes
{
    private readonly List<byte> _model = [];

    public const int Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6;

    /// <summary>Three control tokens, every byte, and a few pieces.</summary>
    public static SentencePieceBytes Small(params (string Text, float Score, int Kind)[] more)
    {
        var bytes = new SentencePieceBytes().Piece("<unk>", 0, Unknown).Piece("<s>", 0, Control).Piece("</s>", 0, Control);
        foreach (var b in Enumerable.Range(0, 256))
        {
            bytes.Piece($"<0x{b:X2}>", 0, Byte);
        }

        foreach (var (text, score, kind) in more)
        {
            bytes.Piece(text, score, kind);
        }

        return bytes;
    }

    public SentencePieceBytes Piece(string text, float score, int kind) =>
        Add(1, [.. Field(1, Encoding.UTF8.GetBytes(text)), 0x15, .. BitConverter.GetBytes(score), 0x18, (byte)kind]);

    /// <summary>2 is BPE.</summary>
    public SentencePieceBytes Trainer(byte modelType = 2, params byte[] more) => Add(2, [0x18, modelType, .. more]);

    public SentencePieceBytes Normalizer(bool prefix = true, bool collapse = false, byte[]? map = null, params byte[] more) =>
        Add(3, [.. map is null ? [] : Field(2, map), 0x18, prefix ? (byte)1 : (byte)0, 0x20, collapse ? (byte)1 : (byte)0, .. more]);

    public SentencePieceBytes Denormalizer(byte[] map) => Add(5, Field(2, map));

    public byte[] ToArray() => [.. _model];

    /// <summary>Compiled rules: a double array with a block of 256 units for each prefix, and the replacements.</summary>
    public static byte[] Map(params (string From, string To)[] rules)
    {
        var prefixes = rules.SelectMany(r => Enumerable.Range(1, Encoding.UTF8.GetByteCount(r.From)).Select(n => Encoding.UTF8.GetBytes(r.From)[..n]))
            .Select(Convert.ToHexString).Distinct().Order(StringComparer.Ordinal).ToList();
        var units = new uint[256 * (prefixes.Count + 2)];
        units[0] = 256 << 10;
        var replacements = new List<byte>();
        foreach (var (index, prefix) in prefixes.Index())
        {
            var parent = prefix.Length == 2 ? 256 : 256 * (prefixes.IndexOf(prefix[..^2]) + 2);
            var (own, label) = (256 * (index + 2), Convert.FromHexString(prefix)[^1]);
            var place = parent + label;
            var rule = rules.Where(r => Convert.ToHexString(Encoding.UTF8.GetBytes(r.From)) == prefix).ToList();
            units[place] = ((uint)(place ^ own) << 10) | (rule.Count > 0 ? 0x100u : 0) | label;
            if (rule.Count > 0)
            {
                units[own] = 0x8000_0000 | (uint)replacements.Count;
                replacements.AddRange([.. Encoding.UTF8.GetBytes(rule[0].To), 0]);
            }
        }

        return [.. BitConverter.GetBytes(units.Length * 4), .. units.SelectMany(BitConverter.GetBytes), .. replacements];
    }

    private static byte[] Field(int number, byte[] content)
    {
        var length = new List<byte>();
        var rest = content.Length;
        for (; rest >= 0x80; rest >>= 7)
        {
            length.Add((byte)(rest | 0x80));
        }

        return [(byte)((number << 3) | 2), .. length, (byte)rest, .. content];
    }

    private SentencePieceBytes Add(int number, byte[] content)
    {
        _model.AddRange(Field(number, content));
        return this;
    }
}
