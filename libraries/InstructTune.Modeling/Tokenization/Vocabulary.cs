using System.Text.Json;

namespace InstructTune.Modeling.Tokenization;

/// <summary>The tokens of a BPE model and how they merge.</summary>
internal sealed class Vocabulary
{
    // Two tokens name a pair: the left id in the upper half.
    private readonly Dictionary<long, Merge> _merges = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    private Vocabulary() => Lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();

    public Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Lookup { get; }

    public IReadOnlyDictionary<string, int> Ids => _ids;

    public static Vocabulary Read(JsonItem model)
    {
        var vocabulary = new Vocabulary();
        vocabulary.ReadTokens(model.Required("vocab"));
        var rank = 0;
        foreach (var merge in model.Required("merges").Items())
        {
            vocabulary.ReadMerge(merge, rank++);
        }

        return vocabulary;
    }

    public int Find(string token) => _ids.GetValueOrDefault(token, -1);

    public bool TryMerge(int left, int right, out Merge merge) => _merges.TryGetValue(Pair(left, right), out merge);

    public IEnumerable<int> MergedIds() => _merges.Values.Select(m => m.Id);

    private static long Pair(int left, int right) => ((long)left << 32) | (uint)right;

    private void ReadTokens(JsonItem item)
    {
        foreach (var (token, value) in item.Properties())
        {
            if (value.Element.ValueKind != JsonValueKind.Number || !value.Element.TryGetInt32(out var id) || id < 0)
            {
                throw item.Refuse($"the id of `{token}` must be an integer from 0");
            }

            _ids[token] = id;
        }
    }

    private void ReadMerge(JsonItem item, int rank)
    {
        string left, right;
        if (item.Element.ValueKind == JsonValueKind.Array && item.Element.GetArrayLength() == 2)
        {
            (left, right) = (item.Items().First().Text(), item.Items().Last().Text());
        }
        else
        {
            var text = item.Text();
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0)
            {
                throw item.Refuse("must be two tokens with a space between them");
            }

            (left, right) = (text[..space], text[(space + 1)..]);
        }

        // Of two merges of one pair the later counts, as in Hugging Face.
        _merges[Pair(IdOf(item, left), IdOf(item, right))] = new Merge(rank, IdOf(item, left + right));
    }

    private int IdOf(JsonItem item, string token) =>
        _ids.TryGetValue(token, out var id) ? id : throw item.Refuse($"`{token}` is not in the vocabulary");
}

/// <summary>What a pair becomes; lower ranks go first.</summary>
internal readonly record struct Merge(int Rank, int Id);
