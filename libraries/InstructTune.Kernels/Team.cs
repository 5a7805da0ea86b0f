using System.Runtime.ExceptionServices;

namespace InstructTune.Kernels;

/// <summary>
/// Threads that run one piece of code together, each with its own index: the caller is member 0, the others wait for the next call. Between
/// phases they meet in <see cref="Sync"/>. They spin for a while and then sleep, because a waiting thread that spins for ever takes a core
/// from somebody.
/// </summary>
public sealed class Team : IDisposable
{
    private const int SpinsBeforeYield = 20_000;
    private const int YieldsBeforeSleep = 200;

    private readonly Thread[] _others;
    private readonly SemaphoreSlim _wake = new(0);
    private Action<int>? _work;
    private Exception? _fault;
    private volatile int _round;
    private volatile int _sleeping;
    private volatile int _arrived;
    private volatile int _phase;
    private volatile bool _stopped;

    /// <summary>Starts the members but one.</summary>
    /// <param name="size">Members, the caller included; never more than the processor time this process may use.</param>
    /// <param name="pinned">
    /// Whether each of the others is kept to a processor of its own, of those that the thread that makes the team may run on; the team is no larger
    /// than there are such. The caller stays free: it is a thread of somebody else's.
    /// </param>
    public Team(int size, bool pinned = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        var processors = pinned ? Processors.Allowed() : [];
        Size = processors.Length > 0 ? Math.Min(size, processors.Length) : size;
        _others = new Thread[Size - 1];
        for (var i = 0; i < _others.Length; i++)
        {
            var member = i + 1;
            int? processor = processors.Length > 0 ? processors[member] : null;
            _others[i] = new Thread(() => Serve(member, processor)) { IsBackground = true, Name = "kernels" };
            _others[i].Start();
        }
    }

    /// <summary>Members.</summary>
    public int Size { get; }

    /// <summary>
    /// Runs the work on all members and returns when all are done. Called by one thread at a time. Work that calls <see cref="Sync"/> must not
    /// throw: the others would wait for ever. An exception of work without phases is thrown here.
    /// </summary>
    public void Run(Action<int> work)
    {
        if (Size == 1)
        {
            work(0);
            return;
        }

        _work = work;
        _fault = null;
        _round++;
        if (_sleeping > 0)
        {
            _wake.Release(_sleeping);
        }

        RunGuarded(work, 0);
        Sync();
        if (_fault is { } fault)
        {
            ExceptionDispatchInfo.Throw(fault);
        }
    }

    /// <summary>Waits until every member of the running work is here.</summary>
    public void Sync()
    {
        if (Size == 1)
        {
            return;
        }

        var phase = _phase;
        if (Interlocked.Increment(ref _arrived) == Size)
        {
            _arrived = 0;
            _phase = phase + 1;
            return;
        }

        var spins = 0;
        while (_phase == phase)
        {
            Pause(ref spins);
        }
    }

    /// <summary>Ends the other members.</summary>
    public void Dispose()
    {
        _stopped = true;
        if (_others.Length > 0)
        {
            _wake.Release(_others.Length);
        }

        foreach (var thread in _others)
        {
            thread.Join();
        }

        _wake.Dispose();
    }

    private void Serve(int member, int? processor)
    {
        if (processor is { } own)
        {
            Processors.TryPin(own);
        }

        var seen = 0;
        while (true)
        {
            AwaitRound(seen);
            if (_stopped)
            {
                return;
            }

            seen++;
            RunGuarded(_work!, member);
            Sync();
        }
    }

    private void RunGuarded(Action<int> work, int member)
    {
        try
        {
            work(member);
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _fault, exception, null);
        }
    }

    private void AwaitRound(int seen)
    {
        var spins = 0;
        while (_round == seen && !_stopped)
        {
            if (spins < SpinsBeforeYield + YieldsBeforeSleep)
            {
                Pause(ref spins);
                continue;
            }

            // Announced before the last look at the round: whoever starts one after that look sees the announcement.
            Interlocked.Increment(ref _sleeping);
            if (_round == seen && !_stopped)
            {
                _wake.Wait();
            }

            Interlocked.Decrement(ref _sleeping);
            spins = 0;
        }
    }

    private static void Pause(ref int spins)
    {
        if (spins++ < SpinsBeforeYield)
        {
            Thread.SpinWait(1);
        }
        else
        {
            Thread.Yield();
        }
    }
}
