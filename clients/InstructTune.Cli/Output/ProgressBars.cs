using Spectre.Console;
using Spectre.Console.Rendering;

namespace InstructTune.Cli.Output;

/// <summary>The layout of progress bars: name, bar, share, details.</summary>
internal static class ProgressBars
{
    private const int BarWidth = 24;

    public static Progress Create(IAnsiConsole console)
    {
        var progress = console.Progress().Columns(
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn { Width = BarWidth },
            new PercentageColumn(),
            new DetailColumn());
        progress.ExcludeVerticalPadding = true;
        return progress;
    }
}

/// <summary>The free text beside a bar: the tag of its task.</summary>
internal sealed class DetailColumn : ProgressColumn
{
    protected override bool NoWrap => true;

    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
        new Text(task.Tag as string ?? "").Overflow(Overflow.Ellipsis);
}
