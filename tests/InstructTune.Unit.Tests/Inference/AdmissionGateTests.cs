using InstructTune.Inference.Admission;
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
        alone.Charge(5000);
        var second = gate.Enter("ann");

        Assert.Throws<InferenceFault>(() => second.Charge(1));
        second.Dispose();
        alone.Dispose();

        Assert.Equal(0, gate.WaitingTokens);
        Assert.Equal(0, gate.WaitingRequests);
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

    private AdmissionGate Gate(int maxRequests, long maxTokens = 1000) => new(new AdmissionLimits(maxRequests, maxTokens), _time);

    private TimeSpan RetryAfterWith(TimeSpan gap)
    {
        var gate = Gate(maxRequests: 1);
        for (var i = 0; i < 20; i++)
        {
            var ticket = gate.Enter("ann");
            _time.Advance(gap);
            ticket.Dispose();
        }
        gate.Enter("ann");
        return Assert.Throws<InferenceFault>(() => gate.Enter("ann")).RetryAfter!.Value;
    }
}
