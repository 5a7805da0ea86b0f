namespace InstructTune.Modeling.Tokenization;

/// <summary>The `post_processor` of a tokenizer.json for one text: the ids that go before and after it.</summary>
internal sealed record PostProcessor(IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    public static readonly PostProcessor Nothing = new([], []);

    public static PostProcessor Read(JsonItem item)
    {
        if (item.IsNull)
        {
            return Nothing;
        }

        switch (item.Type)
        {
            case "ByteLevel":
                // Moves offsets only.
                return Nothing;
            case "TemplateProcessing":
                return ReadTemplate(item);
            case "Sequence":
                var parts = item.Required("processors").Items().Select(Read).Where(p => p.Before.Count + p.After.Count > 0).ToList();
                return parts.Count > 1 ? throw item.Unsupported("more than one template") : parts.SingleOrDefault(Nothing);
            default:
                throw item.Unsupported($"the post-processor `{item.Type}`");
        }
    }

    private static PostProcessor ReadTemplate(JsonItem item)
    {
        List<int> before = [], after = [];
        var (specialTokens, single, passed) = (item.Required("special_tokens"), item.Required("single"), false);
        foreach (var piece in single.Items())
        {
            var special = piece.Optional("SpecialToken");
            if (!special.IsNull)
            {
                var ids = specialTokens.Required(special.Required("id").Text()).Required("ids").Items().Select(i => i.Integer());
                (passed ? after : before).AddRange(ids);
            }
            else if (passed)
            {
                throw piece.Unsupported("a template that repeats the text");
            }
            else
            {
                passed = !piece.Required("Sequence").IsNull;
            }
        }

        return passed ? new(before, after) : throw single.Refuse("must hold the text itself (`Sequence`)");
    }
}
