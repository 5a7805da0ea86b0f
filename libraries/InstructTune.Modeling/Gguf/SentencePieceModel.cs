using System.Buffers.Binary;
using System.Text;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Gguf;

/// <summary>
/// A tokenizer of the kind `llama` as tokenizer.model, the protocol buffer of SentencePiece: pieces with score and kind, the model type
/// (BPE), the control ids, and the rules of normalization.
/// </summary>
internal static class SentencePieceModel
{
    private const int BytePairs = 2;

    public static byte[] Write(GgufTokenizer tokenizer)
    {
        using var stream = new MemoryStream();
        for (var i = 0; i < tokenizer.UsedTokens; i++)
        {
            WriteMessage(stream, 1, piece =>
            {
                WriteText(piece, 1, tokenizer.Tokens[i]);
                WriteFloat(piece, 2, tokenizer.Scores[i]);
                WriteNumber(piece, 3, (int)tokenizer.Kinds[i]);
            });
        }

        WriteMessage(stream, 2, trainer =>
        {
            WriteNumber(trainer, 3, BytePairs);
            WriteNumber(trainer, 4, tokenizer.UsedTokens);
            WriteNumber(trainer, 35, tokenizer.Kinds.Contains(TokenKind.Byte) ? 1 : 0);
            WriteNumber(trainer, 40, tokenizer.Unknown ?? 0);
            WriteNumber(trainer, 41, tokenizer.BeginOfText ?? -1);
            WriteNumber(trainer, 42, tokenizer.EndOfText is [var end, ..] ? end : -1);
            WriteNumber(trainer, 43, tokenizer.Padding ?? -1);
        });
        WriteMessage(stream, 3, normalizer =>
        {
            WriteText(normalizer, 1, "identity");
            WriteNumber(normalizer, 3, tokenizer.AddsSpacePrefix ? 1 : 0);
            WriteNumber(normalizer, 4, 0);
            WriteNumber(normalizer, 5, 1);
        });
        return stream.ToArray();
    }

    private static void WriteMessage(MemoryStream stream, int field, Action<MemoryStream> content)
    {
        using var inner = new MemoryStream();
        content(inner);
        WriteVarint(stream, ((ulong)field << 3) | 2);
        WriteVarint(stream, (ulong)inner.Length);
        inner.WriteTo(stream);
    }

    private static void WriteText(MemoryStream stream, int field, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        WriteVarint(stream, ((ulong)field << 3) | 2);
        WriteVarint(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    private static void WriteFloat(MemoryStream stream, int field, float value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        WriteVarint(stream, ((ulong)field << 3) | 5);
        stream.Write(bytes);
    }

    // A negative number takes ten bytes, as in every protocol buffer.
    private static void WriteNumber(MemoryStream stream, int field, int value)
    {
        WriteVarint(stream, (ulong)field << 3);
        WriteVarint(stream, (ulong)(long)value);
    }

    private static void WriteVarint(MemoryStream stream, ulong value)
    {
        for (; value >= 128; value >>= 7)
        {
            stream.WriteByte((byte)(value | 128));
        }

        stream.WriteByte((byte)value);
    }
}
