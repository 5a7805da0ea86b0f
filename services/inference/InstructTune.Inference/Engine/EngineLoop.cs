using System.Threading.Channels;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Inference.Engine;

/// <summary>
/// The one thread that touches tensors. Others hand it commands through a bounded channel and read results from mailboxes; it waits for
/// nobody but the device. What fails in a step fails the sequences that caused it, never the loop.
/// </summary>
internal sealed partial class EngineLoop(
    IModelRunner runner, Scheduler scheduler, DeviceTurns turns, EngineMetrics metrics, TimeProvider time, ILogger<EngineLoop> logger)
    : IHostedService, IDisposable
{
    /// <summary>Commands that wait for the end of a step. The admission gate bounds requests far below this.</summary>
    private const int CommandCapacity = 4096;

    /// <summary>Of them, those that only commands that install and remove models may take.</summary>
    private const int ControlReserve = 64;

    private const string StoppingMessage = "The server is stopping; try again in a moment.";

    private static readonly TimeSpan RetryWhenFull = TimeSpan.FromMilliseconds(200);

    private readonly Channel<EngineCommand> _commands =
        Channel.CreateBounded<EngineCommand>(new BoundedChannelOptions(CommandCapacity) { SingleReader = true });

    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Thread? _thread;
    private volatile bool _isDraining;

    public EngineCounters Counters { get; } = new();

    public bool IsAlive => _thread is { IsAlive: true };

    /// <summary>Hands over sequences that arrive together, or says at once that there is no room for them.</summary>
    public void Submit(IReadOnlyList<Sequence> sequences)
    {
        if (_isDraining)
        {
            throw Stopping();
        }
        if (_commands.Reader.CanCount && _commands.Reader.Count >= CommandCapacity - ControlReserve)
        {
            throw new InferenceFault(FaultKind.QueueFull, "The engine has more to begin than it can keep. Try again later.") { RetryAfter = RetryWhenFull };
        }
        if (!_commands.Writer.TryWrite(new EngineCommand.Submit(sequences)))
        {
            throw Stopping();
        }
        Counters.Submit(sequences.Count);
    }

    /// <summary>Runs an action on the engine's thread, between two steps.</summary>
    public async Task InvokeAsync(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _commands.Writer.WriteAsync(new EngineCommand.Invoke(action, done));
        }
        catch (ChannelClosedException)
        {
            throw Stopping();
        }
        await done.Task;
    }

    /// <summary>The process is about to stop: what runs goes on, what waits is told to go elsewhere, and nothing new is taken.</summary>
    public void RefuseWaiting()
    {
        _isDraining = true;
        // Where there is no room for the command, or no engine any more, those who wait are told at its end.
        _commands.Writer.TryWrite(new EngineCommand.Invoke(FailWaiting, new TaskCompletionSource()));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        metrics.Observe(Counters);
        _thread = new Thread(Run) { Name = "inference engine", IsBackground = true };
        _thread.Start();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_thread is null)
        {
            return;
        }
        await _stopping.CancelAsync();
        await _stopped.Task.WaitAsync(cancellationToken);
    }

    public void Dispose() => _stopping.Dispose();

    private void Run()
    {
        try
        {
            runner.Start();
            while (!_stopping.IsCancellationRequested)
            {
                TakeCommands();
                Step();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            Log.Stopping(logger);
        }
        catch (Exception exception)
        {
            // A fault here is one of the loop itself: readiness goes false with the thread, and every caller is told.
            Log.Died(logger, exception);
        }
        finally
        {
            Close();
            _stopped.SetResult();
        }
    }

    private void TakeCommands()
    {
        if (!scheduler.HasWork)
        {
            _commands.Reader.WaitToReadAsync(_stopping.Token).AsTask().GetAwaiter().GetResult();
        }
        while (_commands.Reader.TryRead(out var command))
        {
            Execute(command);
        }
    }

    private void Execute(EngineCommand command)
    {
        switch (command)
        {
            case EngineCommand.Submit submit:
                foreach (var sequence in submit.Sequences)
                {
                    Add(sequence);
                }
                break;
            case EngineCommand.Invoke invoke:
                try
                {
                    invoke.Action();
                    invoke.Done.SetResult();
                }
                catch (Exception exception)
                {
                    invoke.Done.SetException(exception);
                }
                break;
        }
    }

    private void Add(Sequence sequence)
    {
        if (!scheduler.TryAdd(sequence))
        {
            sequence.Fail(new InvalidOperationException("The engine does not hold the model, or has no slot of this size."));
        }
    }

    private void Step()
    {
        foreach (var sequence in scheduler.RemoveOver())
        {
            sequence.Fail(new OperationCanceledException(sequence.Life.Cancellation));
        }
        var plan = scheduler.Next(time.GetTimestamp());
        Counters.Observe(scheduler);
        if (plan is not null)
        {
            // With its edits half made nothing in the cache could be trusted: a fault here ends the engine.
            runner.Prepare(plan);
            var began = time.GetTimestamp();
            Counters.Begin(began);
            Compute(plan);
            var duration = time.GetElapsedTime(began);
            Counters.End(duration);
            Counters.Observe(scheduler);
            metrics.RecordStep(duration, plan);
        }
    }

    private void Compute(StepPlan plan)
    {
        IReadOnlyList<ChunkOutput> outputs;
        try
        {
            using var turn = turns.Enter(_stopping.Token);
            // Without the wait for the turn, which others have.
            var began = time.GetTimestamp();
            outputs = runner.Run(plan);
            scheduler.Observe(plan, time.GetElapsedTime(began).TotalSeconds);
        }
        catch (Exception exception) when (!_stopping.IsCancellationRequested)
        {
            Isolate(plan, exception);
            return;
        }
        Counters.Compute(plan.Rows);
        for (var i = 0; i < plan.Chunks.Count; i++)
        {
            Deliver(plan.Chunks[i], outputs[i]);
        }
    }

    /// <summary>One of the chunks cannot be computed: each is tried alone, so that the others do not fail with it.</summary>
    private void Isolate(StepPlan plan, Exception exception)
    {
        if (plan.Chunks.Count == 1)
        {
            Log.SequenceFailed(logger, exception, plan.Chunks[0].Sequence.Life.RequestId);
            plan.Chunks[0].Sequence.Fail(exception);
            scheduler.Remove(plan.Chunks[0].Sequence, failed: true);
            return;
        }
        Log.StepFailed(logger, exception, plan.Chunks.Count);
        Counters.Isolate();
        foreach (var chunk in plan.Chunks)
        {
            Compute(new StepPlan(plan.BaseKey, [chunk]));
        }
    }

    private void Deliver(Chunk chunk, ChunkOutput output)
    {
        var sequence = chunk.Sequence;
        // Cancelled while the step ran: its token is thrown away, and the next step finds the slot free.
        if (sequence.Life.IsOver)
        {
            return;
        }
        try
        {
            sequence.Accept(chunk.To, output, time.GetTimestamp());
            scheduler.Settle(chunk);
        }
        catch (Exception exception)
        {
            Log.SequenceFailed(logger, exception, sequence.Life.RequestId);
            RecordFault(exception);
            sequence.Fail(exception);
            scheduler.Remove(sequence, failed: true);
        }
        if (sequence.Ended)
        {
            scheduler.Remove(sequence);
        }
    }

    private void FailWaiting()
    {
        foreach (var sequence in scheduler.RemoveWaiting())
        {
            sequence.Fail(Stopping());
        }
    }

    private static InferenceFault Stopping() => new(FaultKind.Stopping, StoppingMessage);

    private void RecordFault(Exception exception)
    {
        if (exception is NonFiniteLogitsException)
        {
            metrics.RecordNonFinite();
        }
    }

    private void Close()
    {
        _commands.Writer.TryComplete();
        while (_commands.Reader.TryRead(out var command))
        {
            Execute(command);
        }
        foreach (var sequence in scheduler.RemoveAll())
        {
            sequence.Fail(Stopping());
        }
        runner.Stop();
    }
}
