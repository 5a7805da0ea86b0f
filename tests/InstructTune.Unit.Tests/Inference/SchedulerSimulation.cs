using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>What a careless change could do. The simulation must notice each.</summary>
internal enum SimulatedDefect
{
    None,
    AFailedSequenceKeepsItsSlot,
    ACancelledSequenceStays,
    ACopyIsForgotten,
    CopiesAreMadeInAnotherOrder,
    KeysLeaveOutTheAdapter,
    AStepRunsBeforeItsCopies,
}

/// <summary>
/// Drives scheduler, slots and prefixes with random arrivals, cancels and faults over two bases, without tensors and clocks, and checks
/// after every step what must always hold.
/// </summary>
internal sealed class SchedulerSimulation
{
    private const int MaxRunning = 8;
    private const int MostAlive = 60;

    private readonly int _seed;
    private readonly SimulatedDefect _defect;
    private readonly Random _random;
    private readonly SimulatedTraffic _traffic;
    private readonly List<SimulatedSequence> _alive = [];
    private readonly Dictionary<string, SlotPool> _pools;
    private readonly Dictionary<string, SimulatedMemory> _memories;
    private readonly Dictionary<string, int> _missedTurns = new(StringComparer.Ordinal) { ["big"] = 0, ["small"] = 0 };
    private readonly Scheduler _scheduler;
    private readonly int _tokenBudget;
    private HashSet<Sequence> _ranBefore = [];

    public SchedulerSimulation(int seed, SimulatedDefect defect = SimulatedDefect.None)
    {
        (_seed, _defect, _random) = (seed, defect, new Random(seed));
        // Memory from ample to scarce: with little of it preemptions are frequent.
        var (bigBlocks, smallBlocks) = (_random.Next(16, 60), _random.Next(6, 30));
        _pools = new(StringComparer.Ordinal)
        {
            ["big"] = new SlotPool(ceilingBytes: 64L * 30 * bigBlocks, bytesPerToken: 30, contextTokens: 900, MaxRunning),
            ["small"] = new SlotPool(ceilingBytes: 64L * 7 * smallBlocks, bytesPerToken: 7, contextTokens: 300, MaxRunning),
        };
        _memories = _pools.ToDictionary(pool => pool.Key, pool => new SimulatedMemory(pool.Value.BlockCount), StringComparer.Ordinal);
        _traffic = new SimulatedTraffic(_random, new PrefixKeys([1, 2, 3], includesAdapter: defect != SimulatedDefect.KeysLeaveOutTheAdapter));
        _tokenBudget = _random.Next(MaxRunning + Sequence.ChunkTokens, 300);
        _scheduler = new Scheduler(new SchedulerLimits(_tokenBudget, MaxRunning)
        {
            PrefixBytes = 64L * 30 * _random.Next(0, 20), ReservedOutputTokens = _random.Next(1, 100), AgingTicks = 300, StepSeconds = 1,
        });
    }

    public long Steps { get; private set; }

    public SchedulerFigures Figures => _scheduler.Figures;

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
        for (var i = 0; i < count && _alive.Count < MostAlive; i++)
        {
            var name = _random.Next(2) == 0 ? "big" : "small";
            var sequence = _traffic.Next(name, _pools[name].LargestTokens, Steps);
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
        if (_defect != SimulatedDefect.ACancelledSequenceStays)
        {
            foreach (var sequence in _scheduler.RemoveOver())
            {
                sequence.Fail(new OperationCanceledException());
                Check(sequence.Slot is null, "A cancelled sequence keeps its slot.");
            }
        }
        if (_scheduler.Next(Steps) is { } plan)
        {
            CheckPlan(plan);
            if (_defect == SimulatedDefect.AStepRunsBeforeItsCopies)
            {
                Advance(plan);
                Edit(plan);
            }
            else
            {
                Edit(plan);
                Advance(plan);
            }
            // From so slow that a step has one block to so fast that it has all.
            _scheduler.Observe(plan, plan.Rows * Math.Pow(2, -_random.Next(2, 10)));
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
        _ranBefore = [.. _scheduler.Lanes.SelectMany(lane => lane.Running)];
        CheckSlots();
    }

    private void Edit(StepPlan plan)
    {
        var edits = _defect == SimulatedDefect.CopiesAreMadeInAnotherOrder ? plan.Edits.Reverse() : plan.Edits;
        foreach (var edit in edits)
        {
            if (_defect != SimulatedDefect.ACopyIsForgotten || _random.Next(50) > 0)
            {
                _memories[plan.BaseKey].Edit(edit);
            }
        }
    }

    private void Advance(StepPlan plan)
    {
        foreach (var chunk in plan.Chunks)
        {
            var sequence = (SimulatedSequence)chunk.Sequence;
            // All of it where something may have changed it, and now and then.
            if (!sequence.Seen || plan.Edits.Count > 0 || _random.Next(8) == 0)
            {
                Check(_memories[plan.BaseKey].FirstWrong(chunk) < 0, "A sequence reads what is not its own past.");
            }
            sequence.Seen = true;
            _memories[plan.BaseKey].Compute(chunk);
            Deliver(sequence, chunk);
        }
    }

    private void Deliver(SimulatedSequence sequence, Chunk chunk)
    {
        if (sequence.FailsAt == chunk.To)
        {
            sequence.Fail(new InvalidOperationException("simulated"));
            if (_defect != SimulatedDefect.AFailedSequenceKeepsItsSlot)
            {
                _scheduler.Remove(sequence, failed: true);
            }
            return;
        }
        var outputs = sequence.Outputs;
        sequence.Accept(chunk.To, ChunkOutput.Nothing, Steps);
        Check(sequence.Outputs - outputs <= 1, "A step made more than one token.");
        _scheduler.Settle(chunk);
        if (sequence.Ended)
        {
            Check(sequence.Outputs == sequence.CapacityTokens - sequence.PromptTokens + 1, "A sequence ended early.");
            _scheduler.Remove(sequence);
        }
    }

    private void CheckPlan(StepPlan plan)
    {
        Check(plan.Chunks.Count > 0 && plan.Rows <= _tokenBudget, "A step is empty or larger than its budget.");
        var planned = new HashSet<Sequence>();
        foreach (var chunk in plan.Chunks)
        {
            var sequence = (SimulatedSequence)chunk.Sequence;
            Check(planned.Add(sequence), "A sequence is planned twice.");
            Check(plan.BaseKey == sequence.Model.BaseKey, "A sequence runs on another base.");
            Check(sequence.Computed == chunk.From && chunk.To > chunk.From, "A chunk does not continue its sequence.");
            Check(chunk.To % Sequence.ChunkTokens == 0 || chunk.To == sequence.PromptTokens || chunk.Rows == 1, "A chunk ends off the borders.");
            Check(chunk.From >= sequence.PromptTokens ? chunk.Rows == 1 : chunk.To <= sequence.PromptTokens, "A chunk crosses the end of its prompt.");
            Check(chunk.To <= sequence.Slot!.CapacityTokens, "A chunk is longer than its slot.");
            Check(!sequence.Life.IsOver, "A cancelled sequence is planned.");
        }
        var own = _scheduler.Lanes.Single(lane => lane.BaseKey == plan.BaseKey);
        var running = own.Running;
        foreach (var started in planned.Where(sequence => !_ranBefore.Contains(sequence)))
        {
            // Who waits for a prompt that another one computes lets others pass.
            Check(
                !own.Waiting.Any(other => other.Order < started.Order && other.Life.Standing == started.Life.Standing && other.Leader is null),
                "Who came later started first.");
        }
        // Who starts in this step may find, after its prefix made room for its slot, that its first chunk does not fit any more.
        Check(running.FirstOrDefault(_ranBefore.Contains) is not { } first || planned.Contains(first), "The first sequence was left out.");
        Check(running.All(s => !s.IsDecoding || planned.Contains(s)), "A decode row was left out.");
        foreach (var lane in _scheduler.Lanes)
        {
            var isPassedOver = lane.BaseKey != plan.BaseKey && lane.Running.Count > 0;
            _missedTurns[lane.BaseKey] = isPassedOver ? _missedTurns[lane.BaseKey] + 1 : 0;
            Check(_missedTurns[lane.BaseKey] < _pools.Count, "A base was passed over twice.");
        }
    }

    private void CheckSlots()
    {
        foreach (var lane in _scheduler.Lanes)
        {
            var held = lane.Running.Select(sequence => sequence.Slot!).ToArray();
            Check(held.Length == lane.Slots.RentedCount && held.Sum(slot => slot.Blocks) == lane.Slots.RentedBlocks, "A slot leaked.");
            Check(lane.Prefixes.Count == lane.Slots.SingleBlocks, "A prefix leaked.");
            Check(held.Length <= MaxRunning, "Too many run.");
            Check(lane.Waiting.All(sequence => sequence.Slot is null), "A waiting sequence has a slot.");
            var end = 0;
            foreach (var slot in held.OrderBy(slot => slot.FirstBlock))
            {
                Check(slot.FirstBlock >= end, "Two sequences share memory.");
                end = slot.FirstBlock + slot.Blocks;
            }
            Check(end <= lane.Slots.BlockCount, "A slot lies outside of the cache.");
        }
        Check(_alive.Count == _scheduler.RunningCount + _scheduler.WaitingCount, "A sequence was lost.");
        Check(_alive.TrueForAll(sequence => sequence.Preemptions <= Sequence.MaxPreemptions), "A sequence was thrown out too often.");
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
            var prefixes = _scheduler.Lanes.Single(lane => lane.BaseKey == name).Prefixes;
            while (prefixes.Evict())
            {
            }
            Check(pool is { RentedBlocks: 0, SingleBlocks: 0, GapCount: 1 }, "Memory did not come back in one piece.");
            _scheduler.RemoveBase(name);
        }
    }

    private void Check(bool holds, string problem)
    {
        if (!holds)
        {
            throw new SimulationFailedException($"{problem} Seed {_seed}, step {Steps}.");
        }
    }
}
