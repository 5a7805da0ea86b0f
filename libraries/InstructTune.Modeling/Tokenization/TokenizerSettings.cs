using System.Globalization;
using System.Text.Json;

namespace InstructTune.Modeling.Tokenization;

/// <summary>What the other files of a model folder say about its tokenizer. Files that are not there say nothing.</summary>
internal sealed record TokenizerSettings
{
    private static readonly string[] _namedTokens = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    public string? BeginOfText { get; init; }

    public string? EndOfText { get; init; }

    public string? Padding { get; init; }

    public bool? AddsBeginOfText { get; init; }

    public bool? AddsEndOfText { get; init; }

    public string? ChatTemplate { get; init; }

    /// <summary>Spellings by the names that chat templates use, such as `bos_token`.</summary>
    public IReadOnlyDictionary<string, string> NamedTokens { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Tokens of tokenizer_config.json and added_tokens.json, which count only where no tokenizer.json lists them.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Of tokenizer_config.json: whether text after an added token gets a space in front too.</summary>
    public bool IsLegacy { get; init; } = true;

    /// <summary>Of config.json.</summary>
    public string? ModelType { get; init; }

    /// <summary>From generation_config.json and config.json, in this order.</summary>
    public IReadOnlyList<int> EndOfTextIds { get; init; } = [];

    public static TokenizerSettings Read(string folder)
    {
        var config = Open(folder, "tokenizer_config.json");
        var map = Open(folder, "special_tokens_map.json");
        var model = Open(folder, "config.json");
        return new()
        {
            BeginOfText = Token(config, "bos_token") ?? Token(map, "bos_token"),
            EndOfText = Token(config, "eos_token") ?? Token(map, "eos_token"),
            Padding = Token(config, "pad_token") ?? Token(map, "pad_token"),
            AddsBeginOfText = Switch(config, "add_bos_token") ?? DefaultOfClass(config),
            AddsEndOfText = Switch(config, "add_eos_token"),
            ChatTemplate = ReadTemplate(folder, config),
            NamedTokens = ReadNamed(config, map),
            AddedTokens = ReadAdded(config, Open(folder, "added_tokens.json")),
            IsLegacy = Switch(config, "legacy") ?? true,
            ModelType = model?.Optional("model_type") is { IsNull: false } type ? type.Text() : null,
            EndOfTextIds = [.. Ids(Open(folder, "generation_config.json")).Concat(Ids(model)).Distinct()],
        };
    }

    private static JsonItem? Open(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        return File.Exists(path) ? TokenizerFile.Parse(file, File.ReadAllBytes(path)) : null;
    }

    private static string? Token(JsonItem? file, string key)
    {
        if (file?.Optional(key) is not { IsNull: false } item)
        {
            return null;
        }

        return item.Element.ValueKind == JsonValueKind.Object ? item.Required("content").Text() : item.Text();
    }

    private static Dictionary<string, string> ReadNamed(JsonItem? config, JsonItem? map)
    {
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var key in _namedTokens)
        {
            if ((Token(config, key) ?? Token(map, key)) is { } token)
            {
                named[key] = token;
            }
        }

        return named;
    }

    private static bool? Switch(JsonItem? file, string key) =>
        file?.Optional(key) is { IsNull: false } ? file.Value.Flag(key) : null;

    // Hugging Face's Llama classes put the token first unless told otherwise, whatever tokenizer.json says.
    private static bool? DefaultOfClass(JsonItem? config) =>
        config?.Optional("tokenizer_class") is { IsNull: false } item && item.Text() is "LlamaTokenizer" or "LlamaTokenizerFast" ? true : null;

    private static List<AddedToken> ReadAdded(JsonItem? config, JsonItem? plain)
    {
        var tokens = new SortedDictionary<int, AddedToken>();
        if (plain is { } file)
        {
            foreach (var (content, id) in file.Properties())
            {
                var token = new AddedToken(AddedToken.CheckId(id), content) { Normalized = true };
                tokens[token.Id] = token;
            }
        }

        if (config?.Optional("added_tokens_decoder") is { IsNull: false } decoder)
        {
            foreach (var (key, token) in decoder.Properties())
            {
                var id = int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw decoder.Refuse($"has the key `{key}`, which is not an id");
                tokens[id] = AddedToken.Read(id, token);
            }
        }

        return [.. tokens.Values];
    }

    private static string? ReadTemplate(string folder, JsonItem? config)
    {
        var beside = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(beside))
        {
            return File.ReadAllText(beside);
        }

        // A list holds several named templates; the one called default is for chats.
        return config?.Optional("chat_template") switch
        {
            null or { IsNull: true } => null,
            { Element.ValueKind: JsonValueKind.Array } list => list.Items()
                .Where(t => t.Required("name").Text() == "default")
                .Select(t => t.Required("template").Text())
                .FirstOrDefault(),
            { } item => item.Text(),
        };
    }

    private static IEnumerable<int> Ids(JsonItem? file)
    {
        if (file?.Optional("eos_token_id") is not { IsNull: false } item)
        {
            return [];
        }

        return item.Element.ValueKind == JsonValueKind.Array ? item.Items().Select(i => i.Integer()) : [item.Integer()];
    }
}
