namespace InstructTune.Modeling.Templates;

/// <summary>What kind of fault ended a template; the kinds are those that jinja2 tells apart.</summary>
public enum TemplateFault
{
    /// <summary>The text is not a template of the language spoken here.</summary>
    Syntax,

    /// <summary>The template itself called `raise_exception`; the message is its author's.</summary>
    Raised,

    /// <summary>Something that is not there was used.</summary>
    Undefined,

    /// <summary>A value of the wrong type.</summary>
    Type,

    /// <summary>A value of the right type that cannot be used.</summary>
    Value,

    /// <summary>Division by zero.</summary>
    ZeroDivision,

    /// <summary>Something that templates must not do, such as changing what they were given.</summary>
    Refused,

    /// <summary>More steps, output, memory or depth than a template may take.</summary>
    Limit,

    /// <summary>Any other fault while rendering.</summary>
    Runtime,
}

/// <summary>A template that cannot be parsed, or that failed while rendering.</summary>
public sealed class TemplateException : Exception
{
    /// <summary>Names the fault, and the line where it was met; 0 where there is no line.</summary>
    public TemplateException(TemplateFault fault, string problem, int line = 0)
        : base(line > 0 ? $"Line {line} of the chat template: {problem}" : problem)
    {
        Fault = fault;
        Problem = problem;
        Line = line;
    }

    /// <summary>The kind of fault.</summary>
    public TemplateFault Fault { get; }

    /// <summary>What is wrong, without the line.</summary>
    public string Problem { get; }

    /// <summary>The line of the template, from 1; 0 where there is none.</summary>
    public int Line { get; }

    internal static TemplateException Type(string problem) => new(TemplateFault.Type, problem);

    internal static TemplateException Value(string problem) => new(TemplateFault.Value, problem);

    internal static TemplateException Limit(string problem) => new(TemplateFault.Limit, problem);
}
