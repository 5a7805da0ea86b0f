using InstructTune.Cli.Tracking;
using InstructTune.V1;
using Spectre.Console;

namespace InstructTune.Cli.Output;

/// <summary>Shows the loss of a job as a curve that grows; where nobody looks, once at the end.</summary>
internal static class PlotDisplay
{
    private const int Columns = 76;
    private const int Rows = 12;

    // A redraw costs a whole picture; steps may come much faster than eyes follow.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public static async Task<JobTracker> FollowAsync(
        Terminal terminal, TimeProvider time, string title, IAsyncEnumerable<JobEvent> events, Action<JobEvent>? onEvent, CancellationToken ct)
    {
        var points = new SortedDictionary<long, double>();
        var tracker = new JobTracker();
        IReadOnlyList<string> Picture() => TerminalPlot.Render([.. points.Select(p => (p.Key, p.Value))], tracker.PlannedSteps, Columns, Rows);
        void Take(JobEvent change)
        {
            onEvent?.Invoke(change);
            if (change.MetricsReported is { } metrics && metrics.Values.TryGetValue("training_loss", out var loss))
            {
                points[metrics.Step] = loss;
            }
        }

        if (terminal.Progress is { } console)
        {
            await console.Live(new Text("")).StartAsync(async live =>
            {
                var lastDrawn = time.GetTimestamp() - time.TimestampFrequency;
                await foreach (var change in events.WithCancellation(ct))
                {
                    Take(change);
                    tracker.Apply(change);
                    if (time.GetElapsedTime(lastDrawn) >= Pause || tracker.HasEnded)
                    {
                        lastDrawn = time.GetTimestamp();
                        live.UpdateTarget(new Text(string.Join('\n', [.. Picture(), $"{title}: {tracker.Describe()}"])));
                    }
                }
            });
            return tracker;
        }

        tracker = await JobDisplay.FollowAsync(terminal, title, events, Take, ct);
        foreach (var line in Picture())
        {
            terminal.Note(line);
        }

        return tracker;
    }
}
