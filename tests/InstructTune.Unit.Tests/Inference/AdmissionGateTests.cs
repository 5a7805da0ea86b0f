using InstructTune.Inference.Admission;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using Microsoft.Extensions.Time.Testing;

namespace InstructTune.Unit.Tests.Inference;

public sealed class AdmissionGateTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_full_queue_refuses_at_once_and_says_when_to_come_back()
    {
        var gate = Gate(maxRequests: 2);
        gate.Enter("ann");
        gate.Enter("ann");

        var fault = Assert.Throws<InferenceFault>(() => gate.Enter("ann"));

        Assert.Equal(FaultKind.QueueFull, fault.Kind);
        Assert.True(fault.RetryAfter > TimeSpan.Zero);
    }

    [Fact]
    public void A_slow_queue_asks_for_a_longer_wait_than_a_fast_one()
    {
        var slow = RetryAfterWith(TimeSpan.FromSeconds(5));
        var fast = RetryAfterWith(TimeSpan.FromMilliseconds(1));

        Assert.True(slow > fast * 2);
    }

    [Fact]
    public void A_place_is_given_back_once()
    {
        var gate = Gate(maxRequests: 2);
        var first = gate.Enter("ann");
        gate.Enter("ann");

        first.Dispose();
        first.Dispose();

        Assert.Equal(1, gate.WaitingRequests);
    }

    [Fact]
    public void Waiting_tokens_are_bounded_but_a_lone_request_is_let_in()
    {
        var gate = Gate(maxRequests: 9, maxTokens: 100);
        var alone = gate.Enter("ann");
        alone.Charge(5000, Urgency.Batch);
        var second = gate.Enter("ann");

        Assert.Throws<InferenceFault>(() => second.Charge(1, Urgency.Standard));
        second.Dispose();
        alone.Dispose();

        Assert.Equal(0, gate.WaitingTokens);
        Assert.Equal(0, gate.WaitingRequests);
    }

    [Fact]
    public void Waiting_tokens_are_counted_by_urgency_until_their_request_leaves()
    {
        var gate = Gate(maxRequests: 9, maxTokens: 100);
        var batch = gate.Enter("ann");
        batch.Charge(30, Urgency.Batch);
        gate.Enter("ann").Charge(20, Urgency.Interactive);
        Assert.Equal([20, 0, 30], gate.WaitingTokensByUrgency);

        batch.Dispose();

        Assert.Equal([20, 0, 0], gate.WaitingTokensByUrgency);
    }

    [Fact]
    public void A_flood_of_one_tenant_leaves_places_to_others()
    {
        var gate = new AdmissionGate(new AdmissionLimits(4, 1000) { MaxWaitingPerTenant = 2 }, _time);
        gate.Enter("flood");
        var last = gate.Enter("flood");

        Assert.Equal(FaultKind.QueueFull, Assert.Throws<InferenceFault>(() => gate.Enter("flood")).Kind);
        gate.Enter("light");
        last.Dispose();
        gate.Enter("flood");

        Assert.Equal(3, gate.WaitingRequests);
    }

    [Fact]
    public void Long_prompts_of_one_tenant_leave_room_for_those_of_others()
    {
        var gate = new AdmissionGate(new AdmissionLimits(9, 100) { MaxWaitingTokensPerTenant = 50 }, _time);
        var first = gate.Enter("flood");
        first.Charge(40, Urgency.Standard);
        using var second = gate.Enter("flood");

        Assert.Contains("of this tenant", Assert.Throws<InferenceFault>(() => second.Charge(20, Urgency.Standard)).Message, StringComparison.Ordinal);
        gate.Enter("light").Charge(50, Urgency.Standard);
        first.Dispose();
        second.Charge(50, Urgency.Standard);

        Assert.Equal(100, gate.WaitingTokens);
    }

    [Fact]
    public void What_is_in_no_hurry_finds_no_place_first()
    {
        var gate = new AdmissionGate(new AdmissionLimits(4, 1000) { MaxWaitingInNoHurry = 2 }, _time);
        gate.Enter("ann", urgency: Urgency.Batch);
        var second = gate.Enter("ann");

        Assert.Equal(FaultKind.QueueFull, Assert.Throws<InferenceFault>(() => gate.Enter("bob", urgency: Urgency.Batch)).Kind);
        gate.Enter("bob");
        gate.Enter("bob", urgency: Urgency.Interactive);
        Assert.Throws<InferenceFault>(() => gate.Enter("cy", urgency: Urgency.Interactive));
        second.Dispose();

        Assert.Equal(3, gate.WaitingRequests);
    }

    [Fact]
    public void Who_cannot_start_before_its_deadline_is_refused_at_once_and_nobody_else()
    {
        var gate = Gate(maxRequests: 100);
        Start(gate, count: 20, gap: TimeSpan.FromSeconds(1));
        for (var i = 0; i < 10; i++)
        {
            gate.Enter("ann");
        }

        var fault = Assert.Throws<InferenceFault>(() => gate.Enter("ann", timeLeft: TimeSpan.FromSeconds(5)));
        gate.Enter("ann", timeLeft: TimeSpan.FromSeconds(30));
        gate.Enter("ann");

        Assert.Equal((FaultKind.QueueFull, "deadline"), (fault.Kind, fault.Cause));
        Assert.InRange(fault.RetryAfter!.Value, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
        Assert.Equal(12, gate.WaitingRequests);
    }

    [Fact]
    public void The_deadline_of_a_light_tenant_is_not_judged_by_the_queue_of_a_flood()
    {
        var gate = Gate(maxRequests: 100);
        Start(gate, count: 20, gap: TimeSpan.FromSeconds(1));
        for (var i = 0; i < 50; i++)
        {
            gate.Enter("flood");
        }

        gate.Enter("light", timeLeft: TimeSpan.FromSeconds(1));

        Assert.Equal(51, gate.WaitingRequests);
    }

    [Fact]
    public void Idle_time_makes_no_wait_longer()
    {
        var gate = Gate(maxRequests: 100);
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            Start(gate, count: 1, gap: TimeSpan.FromMilliseconds(10));
        }
        for (var i = 0; i < 10; i++)
        {
            gate.Enter("ann");
        }

        gate.Enter("ann", timeLeft: TimeSpan.FromSeconds(1));

        Assert.Equal(11, gate.WaitingRequests);
    }

    [Fact]
    public void Before_there_is_anything_to_judge_by_every_deadline_is_let_in()
    {
        var gate = Gate(maxRequests: 100);
        for (var i = 0; i < 50; i++)
        {
            gate.Enter("ann", timeLeft: TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(50, gate.WaitingRequests);
    }

    private void Start(AdmissionGate gate, int count, TimeSpan gap)
    {
        for (var i = 0; i < count; i++)
        {
            var ticket = gate.Enter("ann");
            _time.Advance(gap);
            ticket.Dispose();
        }
    }

    private AdmissionGate Gate(int maxRequests, long maxTokens = 1000) => new(new AdmissionLimits(maxRequests, maxTokens), _time);

    private TimeSpan RetryAfterWith(TimeSpan gap)
    {
        var gate = Gate(maxRequests: 1);
        Start(gate, count: 20, gap);
        gate.Enter("ann");
        return Assert.Throws<InferenceFault>(() => gate.Enter("ann")).RetryAfter!.Value;
    }
}
