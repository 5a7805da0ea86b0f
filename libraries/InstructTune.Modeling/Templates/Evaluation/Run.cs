using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>One rendering: its limits, its clock, its text so far.</summary>
internal sealed class Run(TemplateLimits limits, TimeProvider clock)
{
    private readonly List<TextSpan> _generated = [];

    public Meter Meter { get; } = new(limits);

    public TimeProvider Clock => clock;

    /// <summary>The text that the template has put out; text inside macros comes when they return.</summary>
    public StringBuilder Text { get; } = new();

    public IReadOnlyList<TextSpan> Generated => _generated;

    /// <summary>The line of the statement that runs.</summary>
    public int Line { get; set; }

    /// <summary>Where spans that bear loss are found: as in transformers, a block begins where the text put out so far ends.</summary>
    public void MarkGenerated(int length) => _generated.Add(new TextSpan(Text.Length, Text.Length + length));

    public string Print(object? value) => TextForm.Of(value, Meter);
}
