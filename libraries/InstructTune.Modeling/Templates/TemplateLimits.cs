namespace InstructTune.Modeling.Templates;

/// <summary>What a template may take. Beyond a limit it ends with <see cref="TemplateFault.Limit"/>, whatever it was doing.</summary>
public sealed record TemplateLimits
{
    /// <summary>The limits for templates that come with models.</summary>
    public static TemplateLimits Standard { get; } = new();

    /// <summary>Characters of a template.</summary>
    public int SourceCharacters { get; init; } = 1024 * 1024;

    /// <summary>Levels of blocks and expressions inside one another.</summary>
    public int Nesting { get; init; } = 150;

    /// <summary>Steps of evaluation: nodes, turns of loops, items that filters go through.</summary>
    public long Steps { get; init; } = 1_000_000;

    /// <summary>Macros and recursive loops inside one another.</summary>
    public int Calls { get; init; } = 100;

    /// <summary>Levels of evaluation, over all calls.</summary>
    public int Depth { get; init; } = 4000;

    /// <summary>Levels of lists and mappings inside one another that are printed, compared or written as JSON.</summary>
    public int ValueDepth { get; init; } = 200;

    /// <summary>Characters of the text that comes out, and of any text on the way.</summary>
    public int TextCharacters { get; init; } = 4 * 1024 * 1024;

    /// <summary>Characters and list items made altogether.</summary>
    public long Allocation { get; init; } = 64L * 1024 * 1024;

    /// <summary>Bits of a whole number.</summary>
    public int NumberBits { get; init; } = 16 * 1024;

    /// <summary>Numbers in a range.</summary>
    public int RangeLength { get; init; } = 100_000;
}
