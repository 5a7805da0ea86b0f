using System.Text.Json;

namespace InstructTune.Modeling.Tokenization;

/// <summary>The BPE `model` of a tokenizer.json.</summary>
internal static class BytePairModelFile
{
    /// <param name="model">The element.</param>
    /// <param name="byteLevel">Whether the vocabulary is written in the byte alphabet.</param>
    /// <param name="specialIds">Ids that ordinary text never gives, even where the vocabulary holds their spelling.</param>
    public static BytePairModel Read(JsonItem model, bool byteLevel, IEnumerable<int> specialIds)
    {
        if (model.Type != "BPE")
        {
            throw model.Unsupported($"the model `{model.Type}`");
        }

        foreach (var key in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            var item = model.Optional(key);
            if (!item.IsNull && item.Text().Length > 0)
            {
                throw item.Unsupported($"`{item.Text()}`");
            }
        }

        var dropout = model.Optional("dropout");
        if (!dropout.IsNull && dropout.Element.GetRawText() is not ("0" or "0.0"))
        {
            throw dropout.Unsupported("dropout");
        }

        var vocabulary = ReadVocabulary(model);
        return new BytePairModel(vocabulary, new BytePairRules
        {
            ByteLevel = byteLevel,
            IgnoreMerges = model.Flag("ignore_merges"),
            ByteFallback = model.Flag("byte_fallback"),
            FuseUnknown = model.Flag("fuse_unk"),
            UnknownId = FindUnknown(model, vocabulary),
            Unspeakable = specialIds.ToHashSet(),
        });
    }

    private static Vocabulary ReadVocabulary(JsonItem model)
    {
        var merges = model.Required("merges");
        var vocabulary = new Vocabulary(merges.Element.ValueKind == JsonValueKind.Array ? merges.Element.GetArrayLength() : 0);
        var tokens = model.Required("vocab");
        foreach (var (token, value) in tokens.Properties())
        {
            var id = value.Element.ValueKind == JsonValueKind.Number && value.Element.TryGetInt32(out var number) ? number : -1;
            vocabulary.Add(token, id >= 0 ? id : throw tokens.Refuse($"the id of `{token}` must be an integer from 0"));
        }

        var rank = 0;
        foreach (var merge in merges.Items())
        {
            var (left, right) = ReadMerge(merge);
            vocabulary.Merges.Set(IdOf(merge, left), IdOf(merge, right), rank++, IdOf(merge, left + right));
        }

        return vocabulary;

        int IdOf(JsonItem item, string token) =>
            vocabulary.Find(token) is >= 0 and var id ? id : throw item.Refuse($"`{token}` is not in the vocabulary");
    }

    private static (string Left, string Right) ReadMerge(JsonItem item)
    {
        if (item.Element.ValueKind == JsonValueKind.Array && item.Element.GetArrayLength() == 2)
        {
            return (item.Items().First().Text(), item.Items().Last().Text());
        }

        var text = item.Text();
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return space >= 0 ? (text[..space], text[(space + 1)..]) : throw item.Refuse("must be two tokens with a space between them");
    }

    private static int FindUnknown(JsonItem model, Vocabulary vocabulary)
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
