using System.Text.Json;

namespace InstructTune.Modeling.Templates;

/// <summary>A part of a text, in UTF-16 units.</summary>
/// <param name="Start">Where it begins.</param>
/// <param name="End">Where it ends; not part of it.</param>
public readonly record struct TextSpan(int Start, int End);

/// <summary>What a template made.</summary>
/// <param name="Text">The text.</param>
/// <param name="Generated">What stood in `generation` blocks: the text that the model wrote, or should learn to.</param>
public sealed record RenderedTemplate(string Text, IReadOnlyList<TextSpan> Generated);

/// <summary>
/// A template in the language of jinja2, with the settings of transformers. A closed language: no files, no objects of this program, no
/// chance; everything it does counts against <see cref="TemplateLimits"/>. May be used by many threads.
/// </summary>
public sealed class ChatTemplate
{
    private readonly IReadOnlyList<Statement> _statements;
    private readonly TemplateLimits _limits;

    private ChatTemplate(IReadOnlyList<Statement> statements, string source, TemplateLimits limits) =>
        (_statements, Source, _limits, SpeaksOfGeneration) = (statements, source, limits, HasGeneration(statements));

    /// <summary>The text of the template.</summary>
    public string Source { get; }

    /// <summary>Whether `generation` blocks mark what the model wrote.</summary>
    public bool SpeaksOfGeneration { get; }

    /// <summary>Reads a template.</summary>
    /// <exception cref="TemplateException">It is none, or uses something that is not offered; the line is named.</exception>
    public static ChatTemplate Parse(string source, TemplateLimits? limits = null) =>
        new(StatementParser.Parse(source, limits ?? TemplateLimits.Standard), source, limits ?? TemplateLimits.Standard);

    /// <summary>Renders with variables given as JSON.</summary>
    /// <param name="variables">By name.</param>
    /// <param name="clock">What `strftime_now` reads.</param>
    /// <exception cref="TemplateException">The template failed, or took more than its limits.</exception>
    public RenderedTemplate Render(IEnumerable<KeyValuePair<string, JsonElement>> variables, TimeProvider clock) =>
        RenderValues(variables.Select(pair => KeyValuePair.Create(pair.Key, TemplateValues.Of(pair.Value))), clock);

    internal RenderedTemplate RenderValues(IEnumerable<KeyValuePair<string, object?>> variables, TimeProvider clock)
    {
        var run = new Run(_limits, clock);
        var given = new Scope(GlobalTable.Create());
        foreach (var (name, value) in variables)
        {
            given.Set(name, value);
        }

        try
        {
            new Renderer(run).Body(_statements, new Scope(given), run.Text);
            return new(run.Text.ToString(), run.Generated);
        }
        catch (TemplateException exception) when (exception.Line == 0)
        {
            throw new TemplateException(exception.Fault, exception.Problem, run.Line);
        }
    }

    private static bool HasGeneration(IReadOnlyList<Statement> statements) =>
        statements.Any(statement => statement is Generation || statement.Bodies.Any(HasGeneration));
}
