using InstructTune.Jobs;

namespace InstructTune.Unit.Tests.Jobs.Simulation;

/// <summary>
/// Workers, a reaper and impatient clients around one store, on a clock that jumps from event to event. The same seed gives
/// the same run.
/// </summary>
internal sealed class JobSimulation
{
    private const int WorkerCount = 6;
    private const int MaxAttempts = 5;
    private const long ReapMs = 5000;
    private const long ArrivalMs = 2500;

    private readonly SimulatedWorld _world;
    private readonly SimulatedStore _store;
    private readonly SimulatedWorker[] _workers;
    private int _created;

    public JobSimulation(int seed, Defect defect = Defect.None)
    {
        var lease = new LeaseOptions();
        _world = new SimulatedWorld(seed);
        Witness = new Witness(job => _workers!.Where(worker => worker.Believes(job)).Select(worker => worker.Number));
        _store = new SimulatedStore(defect, Witness, (long)lease.Duration.TotalMilliseconds);
        _workers = [.. Enumerable.Range(0, WorkerCount).Select(number => new SimulatedWorker(number, _world, _store, Witness, defect, lease))];
        foreach (var worker in _workers)
        {
            worker.Start();
        }

        Reap();
        Arrive();
    }

    public Witness Witness { get; }

    public int Created => _created;

    public TimeSpan Elapsed => TimeSpan.FromMilliseconds(_world.NowMs);

    /// <exception cref="InvariantBrokenException">Something happened that must not.</exception>
    public JobSimulation Run(long steps)
    {
        try
        {
            _world.Run(steps);
            return this;
        }
        catch (InvariantBrokenException broken)
        {
            throw new InvariantBrokenException($"Step {_world.Steps}, {Elapsed} of simulated time: {broken.Message}");
        }
    }

    private void Reap()
    {
        _store.Reap(_world.NowMs);
        _world.After(ReapMs, Reap);
    }

    private void Arrive()
    {
        var id = ++_created;
        // Some requests are sent twice.
        for (var send = 0; send <= _world.Random.Next(2); send++)
        {
            _world.After(_world.Random.Next(1, 2000), () => _store.Create(id, MaxAttempts));
        }

        if (_world.Random.Next(10) == 0)
        {
            _world.After(_world.Random.Next(2000, 90_000), () => _store.Cancel(id));
            _world.After(_world.Random.Next(2000, 200_000), () => _store.Resume(id, _world.NowMs));
        }

        _world.After(_world.Random.Next((int)ArrivalMs, 3 * (int)ArrivalMs), Arrive);
    }
}
