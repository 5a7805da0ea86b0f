using System.Threading.Channels;
using InstructTune.Storage;

namespace InstructTune.Jobs;

/// <summary>
/// Sends one attempt's events in order. While the store is away they wait and the work goes on; each is sent until it
/// is answered or the lease is lost, and its number keeps it from being written twice.
/// </summary>
internal sealed class ReportPump : IJobReports, IAsyncDisposable
{
    // Enough for the events of a long outage; beyond it the work waits.
    private const int Capacity = 4096;

    private readonly JobStore _store;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _retryPause;
    private readonly Channel<Item> _items = Channel.CreateBounded<Item>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly CancellationTokenSource _leaseLost = new();
    private readonly Lock _lock = new();
    private readonly Task _sending;
    private JobContext? _context;
    private long _number;

    public ReportPump(JobStore store, JobRecord job, TimeSpan retryPause, TimeProvider clock)
    {
        (_store, _retryPause, _clock) = (store, retryPause, clock);
        (Job, Checkpoint) = (job, job.Checkpoint);
        _sending = SendAllAsync();
    }

    public JobRecord Job { get; }

    /// <summary>The newest checkpoint the store accepted.</summary>
    public string Checkpoint { get; private set; }

    public void Attach(JobContext context)
    {
        _context = context;
        context.Stopping.Register(StopWhenLost);
    }

    public Task AppendAsync(JobEventBody body, double progress) => EnqueueAsync(new Item(body, progress, null, false));

    public Task CheckpointAsync(string checkpoint, long step) => AcknowledgedAsync(new CheckpointBody(checkpoint, step), checkpoint, step, false);

    public Task RollbackAsync(string checkpoint, long step, NoticeBody notice) => AcknowledgedAsync(notice, checkpoint, step, true);

    /// <summary>Returns when everything reported was answered, or the lease is lost.</summary>
    public async Task FlushAsync()
    {
        _items.Writer.TryComplete();
        await _sending;
    }

    /// <summary>Gives up what waits.</summary>
    public void StopWhenLost()
    {
        if (_context?.Stop == StopReason.LeaseLost)
        {
            _leaseLost.Cancel();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _leaseLost.CancelAsync();
        await FlushAsync();
        _leaseLost.Dispose();
    }

    private async Task AcknowledgedAsync(JobEventBody body, string checkpoint, long step, bool isRollback)
    {
        var item = new Item(body, null, new Target(checkpoint, step), isRollback);
        await EnqueueAsync(item);
        await item.Answered.Task;
    }

    private async Task EnqueueAsync(Item item)
    {
        try
        {
            await _items.Writer.WriteAsync(item, _leaseLost.Token);
        }
        catch (ChannelClosedException exception)
        {
            throw new OperationCanceledException("The attempt has ended.", exception);
        }
    }

    private async Task SendAllAsync()
    {
        await foreach (var item in _items.Reader.ReadAllAsync())
        {
            try
            {
                await SendAsync(item);
                item.Answered.TrySetResult();
            }
            catch (OperationCanceledException)
            {
                item.Answered.TrySetCanceled();
            }
            catch (Exception exception)
            {
                // The border of the attempt: what the store refused is the waiting work's to report.
                item.Answered.TrySetException(exception);
            }
        }
    }

    private async Task SendAsync(Item item)
    {
        var report = new JobReport
        {
            Id = Job.Id,
            Attempt = Job.Attempt,
            Number = ++_number,
            Body = item.Body,
            Progress = item.Progress,
            Change = item.Target is { } target ? new CheckpointChange(Checkpoint, target.Checkpoint, target.Step, item.IsRollback) : null,
        };
        var result = await UntilAnsweredAsync(report);
        if (result.IsFenced)
        {
            _context?.RequestStop(StopReason.LeaseLost);
            throw new OperationCanceledException("The job is another worker's by now.");
        }

        if (result.IsCancelling)
        {
            _context?.RequestStop(StopReason.Cancel);
        }

        _context?.NoteCheckpointRequested(result.IsCheckpointAsked);
        if (!result.IsAccepted)
        {
            throw new InvalidOperationException(
                $"Job {Job.Id}: the checkpoint at step {report.Change?.Step} was refused, because the job is not at `{Checkpoint}` or not behind that step.");
        }

        Checkpoint = item.Target?.Checkpoint ?? Checkpoint;
    }

    private async Task<ReportResult> UntilAnsweredAsync(JobReport report)
    {
        while (true)
        {
            _leaseLost.Token.ThrowIfCancellationRequested();
            try
            {
                return await _store.ReportAsync(report, _leaseLost.Token);
            }
            catch (StoreUnreachableException)
            {
                await Task.Delay(_retryPause, _clock, _leaseLost.Token);
            }
        }
    }

    private sealed record Target(string Checkpoint, long Step);

    private sealed record Item(JobEventBody Body, double? Progress, Target? Target, bool IsRollback)
    {
        public TaskCompletionSource Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
