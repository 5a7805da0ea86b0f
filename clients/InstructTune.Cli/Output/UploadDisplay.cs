using InstructTune.Client;
using Spectre.Console;

namespace InstructTune.Cli.Output;

/// <summary>Shows an upload: a bar for people, one line at the end for pipes.</summary>
internal static class UploadDisplay
{
    public static async Task<T> ShowAsync<T>(Terminal terminal, string title, Func<IProgress<UploadProgress>, Task<T>> upload)
    {
        if (terminal.Progress is null)
        {
            var last = new LastProgress(_ => { });
            var result = await upload(last);
            terminal.Note($"{title}: sent {Formats.Size(last.Value.TotalBytes)}");
            return result;
        }

        return await ProgressBars.Create(terminal.Progress).StartAsync(async bars =>
        {
            var bar = bars.AddTask(Markup.Escape(title), maxValue: 1);
            var result = await upload(new LastProgress(progress =>
            {
                bar.Value = progress.TotalBytes > 0 ? (double)progress.SentBytes / progress.TotalBytes : 1;
                var detail = progress.SentBytes == progress.TotalBytes ? "the server checks it" : progress.FileName;
                bar.Tag = $"{Formats.Size(progress.SentBytes)} of {Formats.Size(progress.TotalBytes)}  {detail}";
            }));
            bar.Tag = "done";
            bar.StopTask();
            return result;
        });
    }

    // Progress<T> would report on pool threads, out of order.
    private sealed class LastProgress(Action<UploadProgress> show) : IProgress<UploadProgress>
    {
        public UploadProgress Value { get; private set; }

        public void Report(UploadProgress value)
        {
            Value = value;
            show(value);
        }
    }
}
