using InstructTune.V1;
using Spectre.Console;

namespace InstructTune.Cli.Output;

/// <summary>Shows a job while it runs: a bar for people, a line now and then for pipes.</summary>
internal static class JobDisplay
{
    /// <summary>Follows the events to their end and returns the last picture. Every event is also given to <paramref name="onEvent"/>.</summary>
    public static async Task<JobTracker> FollowAsync(
        Terminal terminal, string title, IAsyncEnumerable<JobEvent> events, Action<JobEvent>? onEvent, CancellationToken ct, bool isBrief = false)
    {
        if (terminal.Progress is null)
        {
            return await FollowPlainAsync(terminal, title, events, onEvent, new PlainPace(isBrief), ct);
        }

        var tracker = new JobTracker();
        await ProgressBars.Create(terminal.Progress).StartAsync(async bars =>
        {
            var bar = bars.AddTask(Markup.Escape(title), maxValue: 1);
            await foreach (var change in events.WithCancellation(ct))
            {
                onEvent?.Invoke(change);
                tracker.Apply(change);
                if (change.EventCase == JobEvent.EventOneofCase.Notice)
                {
                    terminal.Progress.WriteLine($"{title}: {change.Notice.Text}");
                }

                bar.Value = tracker.State == JobState.Succeeded ? 1 : tracker.Fraction;
                bar.Tag = tracker.Describe();
            }

            bar.StopTask();
        });
        return tracker;
    }

    private static async Task<JobTracker> FollowPlainAsync(
        Terminal terminal, string title, IAsyncEnumerable<JobEvent> events, Action<JobEvent>? onEvent, PlainPace pace, CancellationToken ct)
    {
        var tracker = new JobTracker();
        await foreach (var change in events.WithCancellation(ct))
        {
            onEvent?.Invoke(change);
            tracker.Apply(change);
            if (change.EventCase == JobEvent.EventOneofCase.Notice)
            {
                terminal.Note($"{title}: {change.Notice.Text}");
            }
            else if (pace.IsDue(change, tracker))
            {
                terminal.Note($"{title}: {tracker.Describe()}");
            }
        }

        return tracker;
    }
}
