using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>
/// Drives scheduler and slots with random arrivals, cancels and faults over two bases, without tensors and clocks, and checks after
/// every step what must always hold.
/// </summary>
internal sealed class SchedulerSimulation(int seed)
{
    private const int MaxRunning = 8;

    private static readonly SchedulerLimits _limits = new(TokenBudget: 96, MaxRunning);

    private readonly Random _random = new(seed);
    private readonly List<SimulatedSequence> _alive = [];
    private readonly Dictionary<string, SlotPool> _pools = new(StringComparer.Ordinal)
    {
        ["big"] = new SlotPool(ceilingBytes: 64 * 30 * 20, bytesPerToken: 30, contextTokens: 1000, MaxRunning),
        ["small"] = new SlotPool(ceilingBytes: 64 * 7 * 12, bytesPerToken: 7, contextTokens: 300, MaxRunning),
    };

    private readonly Dictionary<string, int> _missedTurns = new(StringComparer.Ordinal) { ["big"] = 0, ["small"] = 0 };
    private readonly Dictionary<string, long> _lastStarted = new(StringComparer.Ordinal) { ["big"] = -1, ["small"] = -1 };
    private readonly Scheduler _scheduler = new(_limits);
    private long _order;

    public long Steps { get; private set; }

    public void Run(int steps)
    {
        foreach (var (name, pool) in _pools)
        {
            _scheduler.AddBase(name, pool);
        }
        for (var i = 0; i < steps; i++)
        {
            Arrive(_random.Next(20) == 0 ? _random.Next(30) : _random.Next(2));
            Step();
        }
        Drain();
    }

    private void Arrive(int count)
    {
        for (var i = 0; i < count && _alive.Count < 60; i++)
        {
            var name = _random.Next(2) == 0 ? "big" : "small";
            var largest = _pools[name].LargestTokens;
            var promptTokens = _random.Next(1, _random.Next(8) == 0 ? largest : Math.Min(largest, 150));
            var outputTokens = _random.Next(1, Math.Min(40, largest - promptTokens) + 1);
            var sequence = new SimulatedSequence(
                name, _order++, promptTokens, outputTokens, failsAt: _random.Next(200) == 0 ? promptTokens : -1);
            _alive.Add(sequence);
            Check(_scheduler.TryAdd(sequence), "A sequence that fits was refused.");
        }
    }

    private void Step()
    {
        if (_alive.Count > 0 && _random.Next(10) == 0)
        {
            _alive[_random.Next(_alive.Count)].Cancel();
        }
        foreach (var sequence in _scheduler.RemoveOver())
        {
            sequence.Fail(new OperationCanceledException());
            Check(sequence.Slot is null, "A cancelled sequence keeps its slot.");
        }
        if (_scheduler.Next(Steps) is { } plan)
        {
            CheckPlan(plan);
            Advance(plan);
            Steps++;
        }
        else
        {
            Check(!_scheduler.HasWork, "Nothing is planned although something waits.");
        }
        foreach (var sequence in _alive)
        {
            Check(sequence.Ends == (sequence.Ended ? 1 : 0), "A caller was not told once.");
        }
        _alive.RemoveAll(sequence => sequence.Ended);
        CheckSlots();
    }

    private void Advance(StepPlan plan)
    {
        foreach (var chunk in plan.Chunks)
        {
            if (((SimulatedSequence)chunk.Sequence).FailsAt == chunk.To)
            {
                chunk.Sequence.Fail(new InvalidOperationException("simulated"));
            }
            else
            {
                chunk.Sequence.Accept(chunk.To, ChunkOutput.Nothing, Steps);
            }
            if (chunk.Sequence.Ended)
            {
                _scheduler.Remove(chunk.Sequence);
            }
        }
    }

    private void CheckPlan(StepPlan plan)
    {
        Check(plan.Chunks.Count > 0 && plan.Rows <= _limits.TokenBudget, "A step is empty or larger than its budget.");
        var planned = new HashSet<Sequence>();
        foreach (var chunk in plan.Chunks)
        {
            var sequence = (SimulatedSequence)chunk.Sequence;
            Check(planned.Add(sequence), "A sequence is planned twice.");
            Check(plan.BaseKey == sequence.Model.BaseKey, "A sequence runs on another base.");
            Check(sequence.Computed == chunk.From && chunk.To > chunk.From, "A chunk does not continue its sequence.");
            Check(chunk.To % Sequence.ChunkTokens == 0 || chunk.To == sequence.Known, "A chunk ends off the borders.");
            Check(chunk.To <= sequence.Slot!.CapacityTokens, "A chunk is longer than its slot.");
            Check(!sequence.Life.IsOver, "A cancelled sequence is planned.");
        }
        CheckOrder(plan.BaseKey);
        var running = _scheduler.Lanes.Single(lane => lane.BaseKey == plan.BaseKey).Running;
        Check(planned.Contains(running[0]), "The oldest sequence was left out.");
        Check(running.All(s => s.Known - s.Computed > 1 || planned.Contains(s)), "A decode row was left out.");
        foreach (var lane in _scheduler.Lanes)
        {
            var isPassedOver = lane.BaseKey != plan.BaseKey && lane.Running.Count > 0;
            _missedTurns[lane.BaseKey] = isPassedOver ? _missedTurns[lane.BaseKey] + 1 : 0;
            Check(_missedTurns[lane.BaseKey] < _pools.Count, "A base was passed over twice.");
        }
    }

    private void CheckOrder(string baseKey)
    {
        foreach (var sequence in _scheduler.Lanes.Single(lane => lane.BaseKey == baseKey).Running.Cast<SimulatedSequence>())
        {
            if (!sequence.Seen)
            {
                Check(sequence.Order > _lastStarted[baseKey], "A later request started before an earlier one.");
                _lastStarted[baseKey] = sequence.Order;
                sequence.Seen = true;
            }
        }
    }

    private void CheckSlots()
    {
        foreach (var lane in _scheduler.Lanes)
        {
            var held = lane.Running.Select(sequence => sequence.Slot!).ToArray();
            Check(held.Length == lane.Slots.RentedCount && held.Sum(slot => slot.Blocks) == lane.Slots.RentedBlocks, "A slot leaked.");
            Check(held.Length <= MaxRunning, "Too many run.");
            var end = 0;
            foreach (var slot in held.OrderBy(slot => slot.FirstBlock))
            {
                Check(slot.FirstBlock >= end, "Two sequences share memory.");
                end = slot.FirstBlock + slot.Blocks;
            }
            Check(end <= lane.Slots.BlockCount, "A slot lies outside of the cache.");
        }
        Check(_alive.Count == _scheduler.RunningCount + _scheduler.WaitingCount, "A sequence was lost.");
    }

    private void Drain()
    {
        var bound = Steps + 100_000;
        while (_scheduler.HasWork)
        {
            Step();
            Check(Steps < bound, "The queue does not empty.");
        }
        foreach (var (name, pool) in _pools)
        {
            Check(pool.RentedBlocks == 0 && pool.GapCount == 1, "Memory did not come back in one piece.");
            _scheduler.RemoveBase(name);
        }
    }

    private void Check(bool holds, string problem) => Assert.True(holds, $"{problem} Seed {seed}, step {Steps}.");
}
