using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

public sealed class SchedulerTests
{
    private readonly SlotPool _slots = new(ceilingBytes: 64 * 10 * 4, bytesPerToken: 10, contextTokens: 256, maxSequences: 4);
    private readonly Scheduler _scheduler = new(new SchedulerLimits(TokenBudget: 80, MaxRunning: 4));

    public SchedulerTests()
    {
        _scheduler.AddBase("a", _slots);
        _scheduler.AddBase("b", new SlotPool(64 * 10 * 4, 10, 256, 4));
    }

    [Fact]
    public void Decode_rows_come_before_prompt_chunks_and_share_their_step()
    {
        var decoding = Add("a", prompt: 3, output: 10);
        Run(_scheduler.Next(0)!);
        var prompt = Add("a", prompt: 100, output: 1);

        var plan = _scheduler.Next(0)!;

        Assert.Equal([(decoding, 3, 4), (prompt, 0, 64)], plan.Chunks.Select(c => (c.Sequence, c.From, c.To)));
    }

    [Fact]
    public void A_prompt_gets_as_many_whole_blocks_as_the_step_has_room_for()
    {
        var scheduler = new Scheduler(new SchedulerLimits(TokenBudget: 200, MaxRunning: 4));
        scheduler.AddBase("a", new SlotPool(1 << 20, 10, 1000, 4));
        scheduler.TryAdd(new SimulatedSequence("a", 0, promptTokens: 300, outputTokens: 1));

        List<int> ends = [];
        while (scheduler.Next(0) is { } plan)
        {
            ends.Add(plan.Chunks[0].To);
            Run(plan);
            if (plan.Chunks[0].Sequence.Ended)
            {
                scheduler.Remove(plan.Chunks[0].Sequence);
            }
        }

        Assert.Equal([192, 300], ends);
    }

    [Fact]
    public void Beside_texts_that_are_made_a_prompt_gets_what_its_measured_pace_leaves_of_the_time_of_a_step()
    {
        var scheduler = new Scheduler(new SchedulerLimits(TokenBudget: 400, MaxRunning: 4) { StepSeconds = 0.25 });
        scheduler.AddBase("a", new SlotPool(1 << 20, 10, 1000, 4));
        var text = new SimulatedSequence("a", 0, promptTokens: 5, outputTokens: 90);
        scheduler.TryAdd(text);
        Run(scheduler.Next(0)!);
        scheduler.TryAdd(new SimulatedSequence("a", 0, promptTokens: 900, outputTokens: 1));

        List<int> rows = [Step()];
        // 0.01 s a row: 25 fit, so one block. Short steps say nothing.
        scheduler.Observe(new StepPlan("a", [new Chunk(text, 0, 100)]), seconds: 1);
        scheduler.Observe(new StepPlan("a", [new Chunk(text, 0, 1)]), seconds: 0.0001);
        rows.Add(Step());
        // It gets faster: 0.25 s are 131 rows by now, so two blocks.
        for (var i = 0; i < 9; i++)
        {
            scheduler.Observe(new StepPlan("a", [new Chunk(text, 0, 100)]), seconds: 0.125);
        }
        rows.Add(Step());
        text.Cancel();
        scheduler.RemoveOver();
        // Nobody waits for a token.
        rows.Add(Step());

        Assert.Equal([1 + 384, 1 + 64, 1 + 128, 900 - 576], rows);

        int Step()
        {
            var plan = scheduler.Next(0)!;
            Run(plan);
            return plan.Rows;
        }
    }

    [Fact]
    public void Rows_of_one_adapter_lie_side_by_side()
    {
        string?[] adapters = ["red", null, "blue", "red", null, "blue"];
        var scheduler = new Scheduler(new SchedulerLimits(TokenBudget: 100, MaxRunning: 8));
        scheduler.AddBase("a", new SlotPool(1 << 20, 10, 100, 8));
        foreach (var (i, adapter) in adapters.Index())
        {
            scheduler.TryAdd(new SimulatedSequence("a", i, promptTokens: 3, outputTokens: 4, adapterKey: adapter));
        }

        var plan = scheduler.Next(0)!;

        Assert.Equal([null, null, "blue", "blue", "red", "red"], plan.Chunks.Select(chunk => chunk.Sequence.Model.AdapterKey));
        Assert.Equal([1L, 4, 2, 5, 0, 3], plan.Chunks.Select(chunk => chunk.Sequence.Order));
    }

    [Fact]
    public void A_prompt_chunk_that_does_not_fit_whole_waits_for_the_next_step()
    {
        var first = Add("a", prompt: 64, output: 2);
        var second = Add("a", prompt: 64, output: 2);

        var plan = _scheduler.Next(0)!;

        Assert.Equal([first], plan.Chunks.Select(chunk => chunk.Sequence));
        Run(plan);
        Assert.Equal([first, second], _scheduler.Next(0)!.Chunks.Select(chunk => chunk.Sequence));
    }

    [Fact]
    public void Bases_take_turns()
    {
        Add("a", prompt: 1, output: 9);
        Add("b", prompt: 1, output: 9);
        Add("a", prompt: 1, output: 9);

        List<string> turns = [];
        for (var i = 0; i < 6; i++)
        {
            var plan = _scheduler.Next(0)!;
            turns.Add(plan.BaseKey);
            Run(plan);
        }

        Assert.Equal(["a", "b", "a", "b", "a", "b"], turns);
    }

    [Fact]
    public void A_small_request_does_not_pass_a_large_one_that_waits_for_memory()
    {
        Add("a", prompt: 100, output: 29);
        Add("a", prompt: 200, output: 2);
        var small = Add("a", prompt: 1, output: 1);
        var other = Add("b", prompt: 1, output: 1);

        Run(_scheduler.Next(0)!);
        _scheduler.Next(0);

        Assert.Null(small.Slot);
        Assert.Equal(2, _scheduler.WaitingCount);
        Assert.NotNull(other.Slot);
    }

    [Fact]
    public void A_cancelled_sequence_gives_its_slot_to_the_next_step()
    {
        var first = Add("a", prompt: 200, output: 2);
        var second = Add("a", prompt: 200, output: 2);
        Run(_scheduler.Next(0)!);
        Assert.Null(second.Slot);

        first.Cancel();

        Assert.Equal([first], _scheduler.RemoveOver());
        Assert.Equal(0, _slots.RentedCount);
        Assert.Equal([second], _scheduler.Next(0)!.Chunks.Select(chunk => chunk.Sequence));
    }

    private SimulatedSequence Add(string baseKey, int prompt, int output)
    {
        var sequence = new SimulatedSequence(baseKey, order: 0, prompt, output);
        Assert.True(_scheduler.TryAdd(sequence));
        return sequence;
    }

    private static void Run(StepPlan plan)
    {
        foreach (var chunk in plan.Chunks)
        {
            chunk.Sequence.Accept(chunk.To, ChunkOutput.Nothing, now: 0);
        }
    }
}
