using InstructTune.Client;
using Microsoft.Extensions.Time.Testing;

namespace InstructTune.Unit.Tests.Client;

public sealed class OutageTests
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Waits_double_up_to_the_longest()
    {
        var outage = new Outage(_time, TimeSpan.FromMinutes(1));
        var waits = Enumerable.Range(0, 7).Select(_ => outage.NextWait(null, First, Longest).TotalMilliseconds);
        Assert.Equal([200, 400, 800, 1600, 3200, 5000, 5000], waits);
    }

    [Fact]
    public void A_wait_that_the_server_asks_for_is_kept_within_bounds()
    {
        var outage = new Outage(_time, TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.FromSeconds(2), outage.NextWait(TimeSpan.FromSeconds(2), First, Longest));
        Assert.Equal(Longest, outage.NextWait(TimeSpan.FromHours(1), First, Longest));
    }

    [Fact]
    public void It_ends_when_the_server_stays_away_too_long()
    {
        var outage = new Outage(_time, TimeSpan.FromMinutes(1));
        outage.Ended();
        Assert.True(outage.GoesOn());
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.True(outage.GoesOn());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(outage.GoesOn());
    }

    [Fact]
    public void An_answer_starts_the_clock_anew()
    {
        var outage = new Outage(_time, TimeSpan.FromMinutes(1));
        outage.Ended();
        outage.GoesOn();
        _time.Advance(TimeSpan.FromSeconds(50));
        outage.Ended();
        _time.Advance(TimeSpan.FromSeconds(50));
        Assert.True(outage.GoesOn());
    }
}
