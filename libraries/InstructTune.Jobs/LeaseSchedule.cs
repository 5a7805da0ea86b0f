namespace InstructTune.Jobs;

/// <summary>What the holder of a lease does next.</summary>
internal enum LeaseAction
{
    Renew,

    /// <summary>The work hangs: the lease is left to lapse.</summary>
    Wait,

    /// <summary>The job may be another worker's by now.</summary>
    Stop,
}

/// <summary>
/// When a lease is renewed and when it must be taken for lost. Times are spans on one monotonic clock. The lease counts from
/// when the last good renewal was sent: the store's count began later, so the holder always stops first.
/// </summary>
internal sealed class LeaseSchedule
{
    // How often a renewal that got no answer is tried again, as a part of the renewal interval.
    // 250 ms with the defaults: a store that comes back in a lease's last second is still reached.
    private const int TriesPerInterval = 40;

    private readonly TimeSpan _duration;
    private readonly TimeSpan _interval;
    private TimeSpan _lastGood;
    private TimeSpan _pause;

    public LeaseSchedule(TimeSpan duration, TimeSpan interval, TimeSpan granted)
    {
        (_duration, _interval, _lastGood, _pause) = (duration, interval, granted, interval);
    }

    public TimeSpan Remaining(TimeSpan now) => NotNegative(_duration - (now - _lastGood));

    public TimeSpan UntilNextLook(TimeSpan now) => Shorter(_pause, Remaining(now));

    /// <summary>How long a renewal may be waited for.</summary>
    public TimeSpan Patience(TimeSpan now) => Shorter(_interval, Remaining(now));

    public LeaseAction Next(TimeSpan now, bool isStalled) =>
        Remaining(now) == TimeSpan.Zero ? LeaseAction.Stop : isStalled ? LeaseAction.Wait : LeaseAction.Renew;

    /// <param name="sent">When the renewal was sent.</param>
    /// <param name="isExtended">False where no answer came.</param>
    public void Answered(TimeSpan sent, bool isExtended)
    {
        _pause = isExtended ? _interval : _interval / TriesPerInterval;
        _lastGood = isExtended && sent > _lastGood ? sent : _lastGood;
    }

    private static TimeSpan Shorter(TimeSpan first, TimeSpan second) => first < second ? first : second;

    private static TimeSpan NotNegative(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;
}
