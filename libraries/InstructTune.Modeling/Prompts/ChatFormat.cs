using InstructTune.Modeling.Templates;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>A format that a chat template makes. An instruction is a user turn; its input follows after an empty line.</summary>
public sealed record ChatFormat : PromptFormat
{
    private const string InstructionTurn = "{instruction}\n\n{input}";

    /// <summary>The template, in the language of jinja2.</summary>
    public required string Template { get; init; }

    /// <summary>Control tokens that the tokenizer must have.</summary>
    public IReadOnlyList<string> RequiredTokens { get; init; } = [];

    /// <summary>Names of tokens that the tokenizer must name, such as `eos_token`.</summary>
    public IReadOnlyList<string> RequiredNames { get; init; } = [];

    /// <summary>The format of a model that comes with a chat template.</summary>
    /// <exception cref="PromptFormatException">It comes with none, or with one that cannot be read.</exception>
    public static ChatFormat OfModel(Tokenizer tokenizer) => new()
    {
        Name = ModelName,
        Template = tokenizer.ChatTemplate
            ?? throw new PromptFormatException(ModelName, "needs a chat template, and the model comes with none; choose a named format"),
    };

    internal static string TurnOf(string instruction, string input) => input.Length == 0
        ? instruction
        : PromptTemplate.Fill(InstructionTurn, ("{instruction}", instruction), ("{input}", input));

    internal override IPromptLayout With(Tokenizer tokenizer) => new ChatLayout(this, Parsed(), tokenizer);

    private protected override PromptFormat Fitting(Tokenizer tokenizer)
    {
        Parsed();
        var lacking = RequiredTokens.Where(token => !tokenizer.ControlTokens.Contains(token))
            .Concat(RequiredNames.Where(name => !tokenizer.NamedTokens.ContainsKey(name))).ToArray();
        return lacking.Length == 0
            ? this
            : throw new PromptFormatException(Name, $"needs the control tokens {string.Join(", ", lacking)}, which the model's tokenizer does not have");
    }

    private protected override object DefinitionObject() => new
    {
        name = Name,
        chat_template = Template,
        instruction_turn = InstructionTurn,
        boundary = BoundaryName,
    };

    private ChatTemplate Parsed()
    {
        try
        {
            return ChatTemplate.Parse(Template);
        }
        catch (TemplateException exception)
        {
            throw new PromptFormatException(Name, $"has a chat template that cannot be read: {exception.Message}");
        }
    }
}
