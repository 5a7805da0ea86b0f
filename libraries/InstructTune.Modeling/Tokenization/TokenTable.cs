using System.Text;
using System.Text.Unicode;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>Spelling, bytes and kind of every id.</summary>
internal sealed class TokenTable
{
    private readonly byte[] _bytes;
    private readonly int[] _ends;
    private readonly bool[] _special;
    private readonly string?[] _texts;

    public TokenTable(TokenizerParts file)
    {
        var tokens = new string?[Size(file)];
        foreach (var (token, id) in file.Model.Vocabulary.Ids)
        {
            tokens[id] = token;
        }

        _special = new bool[tokens.Length];
        foreach (var token in file.AddedTokens)
        {
            tokens[token.Id] = token.Content;
            _special[token.Id] = token.Special;
        }

        (_bytes, _ends) = Lay(tokens, file.Decoder);
        _texts = new string?[tokens.Length];
        Spellings = tokens;
    }

    public int Count => _ends.Length;

    /// <summary>Null where the vocabulary has a hole.</summary>
    public IReadOnlyList<string?> Spellings { get; }

    public bool IsSpecial(int id) => _special[id];

    public ReadOnlySpan<byte> Bytes(int id)
    {
        var start = id == 0 ? 0 : _ends[id - 1];
        return _bytes.AsSpan(start, _ends[id] - start);
    }

    /// <summary>The text of a token that is whole characters by itself; null for all others.</summary>
    public string? WholeText(int id)
    {
        if (_texts[id] is null && Utf8.IsValid(Bytes(id)))
        {
            _texts[id] = Encoding.UTF8.GetString(Bytes(id));
        }

        return _texts[id];
    }

    private static int Size(TokenizerParts file)
    {
        const int limit = 4_000_000;
        var largest = file.Model.Vocabulary.Ids.Values.Concat(file.AddedTokens.Select(t => t.Id)).DefaultIfEmpty(-1).Max();
        return largest is >= 0 and < limit
            ? largest + 1
            : throw new ModelFormatException(file.File, "model.vocab", $"the largest id must be from 0 to {limit - 1}, not {largest}");
    }

    private static (byte[] Bytes, int[] Ends) Lay(string?[] tokens, TokenDecoder decoder)
    {
        using var all = new MemoryStream();
        var positions = new int[tokens.Length];
        for (var id = 0; id < tokens.Length; id++)
        {
            if (tokens[id] is { } token)
            {
                all.Write(decoder.BytesOf(token));
            }

            positions[id] = (int)all.Length;
        }

        return (all.ToArray(), positions);
    }
}
