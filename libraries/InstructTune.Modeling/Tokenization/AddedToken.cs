namespace InstructTune.Modeling.Tokenization;

/// <summary>A token that is found in text before any model runs.</summary>
internal sealed record AddedToken(int Id, string Content)
{
    public bool SingleWord { get; init; }

    public bool StripLeft { get; init; }

    public bool StripRight { get; init; }

    public bool Normalized { get; init; }

    public bool Special { get; init; }

    public static AddedToken Read(JsonItem item) => Read(CheckId(item.Required("id")), item);

    public static AddedToken Read(int id, JsonItem item) => new(id, item.Required("content").Text())
    {
        SingleWord = item.Flag("single_word"),
        StripLeft = item.Flag("lstrip"),
        StripRight = item.Flag("rstrip"),
        Normalized = item.Flag("normalized"),
        Special = item.Flag("special"),
    };

    public static int CheckId(JsonItem item) => item.Integer() is >= 0 and var id ? id : throw item.Refuse("must be at least 0");
}
