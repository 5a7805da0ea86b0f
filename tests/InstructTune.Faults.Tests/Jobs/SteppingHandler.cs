using InstructTune.Jobs;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>Reports a step every tenth of a second, wherever the store is; later attempts hurry.</summary>
internal sealed class SteppingHandler(TimeSpan? pace = null) : IJobHandler
{
    public const int Steps = 60;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource[] _reached =
        [.. Enumerable.Range(0, Steps + 1).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];

    /// <summary>Why the first attempt stopped.</summary>
    public TaskCompletionSource<StopReason> Stopped { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task ReachesAsync(int step, CancellationToken ct) => _reached[step].Task.WaitAsync(Longest, ct);

    public async Task<string> RunAsync(JobContext context, CancellationToken ct)
    {
        try
        {
            for (var step = 1; step <= Steps; step++)
            {
                await Task.Delay(context.Job.Attempt > 1 ? TimeSpan.FromMilliseconds(1) : pace ?? TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
                await context.ReportAsync(new MetricsBody(step, Steps, "", new Dictionary<string, double>()), step / (double)Steps);
                _reached[step].TrySetResult();
            }

            return "done";
        }
        finally
        {
            Stopped.TrySetResult(context.Stop);
        }
    }
}
