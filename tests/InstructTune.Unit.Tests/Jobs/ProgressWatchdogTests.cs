using InstructTune.Jobs;
using Microsoft.Extensions.Time.Testing;

namespace InstructTune.Unit.Tests.Jobs;

public sealed class ProgressWatchdogTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Work_without_a_step_is_stalled_after_the_limit()
    {
        var watchdog = new ProgressWatchdog(TimeSpan.FromMinutes(10), _clock);
        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.False(watchdog.IsStalled);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(watchdog.IsStalled);
    }

    [Fact]
    public void Short_steps_keep_the_work_alive()
    {
        var watchdog = new ProgressWatchdog(TimeSpan.FromMinutes(10), _clock);
        for (var step = 0; step < 30; step++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            watchdog.Progressed();
        }

        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.False(watchdog.IsStalled);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(watchdog.IsStalled);
    }

    [Fact]
    public void Slow_steps_are_given_twenty_medians()
    {
        var watchdog = new ProgressWatchdog(TimeSpan.FromMinutes(10), _clock);
        for (var step = 0; step < 9; step++)
        {
            _clock.Advance(TimeSpan.FromMinutes(step == 4 ? 9 : 1));
            watchdog.Progressed();
        }

        _clock.Advance(TimeSpan.FromMinutes(20));
        Assert.False(watchdog.IsStalled);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(watchdog.IsStalled);
    }
}
