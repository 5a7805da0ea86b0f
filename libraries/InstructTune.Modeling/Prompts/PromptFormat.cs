using System.Security.Cryptography;
using System.Text.Json;

namespace InstructTune.Modeling.Prompts;

/// <summary>How instructions and conversations become text. A format is data: its digest is stored with every model that was trained with it.</summary>
public sealed record PromptFormat
{
    private static readonly Dictionary<string, PromptFormat> Known = new(StringComparer.Ordinal) { ["alpaca"] = AlpacaFormat.Create() };

    /// <summary>Such as `alpaca`.</summary>
    public required string Name { get; init; }

    /// <summary>Template with the places `{instruction}` and `{input}`.</summary>
    public required string WithInput { get; init; }

    /// <summary>Template with the place `{instruction}`, for an empty input.</summary>
    public required string WithoutInput { get; init; }

    /// <summary>What a conversation begins with, unless a system turn says something else.</summary>
    public required string ConversationPreamble { get; init; }

    /// <summary>Template with the place `{text}`: a user turn up to where its answer begins.</summary>
    public required string UserTurn { get; init; }

    /// <summary>Whether prompt and response are tokenized apart (`split`), as serving does it.</summary>
    public required string Boundary { get; init; }

    /// <summary>Lower-case hex SHA-256 of the definition.</summary>
    public string Sha256 => Convert.ToHexStringLower(SHA256.HashData(Definition()));

    /// <summary>The names that <see cref="Get"/> knows.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>A format by name.</summary>
    /// <exception cref="ArgumentException">There is no such format.</exception>
    public static PromptFormat Get(string name) =>
        Find(name) ?? throw new ArgumentException($"There is no prompt format `{name}`; known are: {string.Join(", ", Names)}.", nameof(name));

    /// <summary>A format by name, or null.</summary>
    public static PromptFormat? Find(string name) => Known.GetValueOrDefault(name);

    /// <summary>The text before the response. Only an empty input is no input: white space counts.</summary>
    public string RenderPrompt(string instruction, string input) => input.Length == 0
        ? PromptTemplate.Fill(WithoutInput, ("{instruction}", instruction))
        : PromptTemplate.Fill(WithInput, ("{instruction}", instruction), ("{input}", input));

    /// <summary>A conversation as text of the prompt and of the responses, in turn. A conversation of one user turn is the prompt without input.</summary>
    /// <exception cref="ConversationException">A turn is out of order.</exception>
    public IReadOnlyList<PromptSegment> RenderConversation(IReadOnlyList<ChatTurn> turns)
    {
        ConversationOrder.Check(turns);
        var segments = new List<PromptSegment>();
        var prefix = ConversationPreamble;
        foreach (var turn in turns)
        {
            switch (turn.Role)
            {
                case ChatTurn.System:
                    prefix = turn.Text;
                    break;
                case ChatTurn.User:
                    segments.Add(new(prefix + PromptTemplate.Fill(UserTurn, ("{text}", turn.Text)), IsResponse: false));
                    prefix = "";
                    break;
                default:
                    segments.Add(new(turn.Text, IsResponse: true));
                    break;
            }
        }

        return segments;
    }

    // Canonical: one JSON object, these keys in this order, no spaces.
    private byte[] Definition() => JsonSerializer.SerializeToUtf8Bytes(new
    {
        name = Name,
        with_input = WithInput,
        without_input = WithoutInput,
        conversation_preamble = ConversationPreamble,
        user_turn = UserTurn,
        boundary = Boundary,
    });
}
