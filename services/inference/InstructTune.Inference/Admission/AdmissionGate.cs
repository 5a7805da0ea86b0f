using System.Globalization;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Admission;

/// <summary>Bounds what waits. A request that finds the queue full is told so at once, and when to come back.</summary>
internal sealed class AdmissionGate(AdmissionLimits limits, TimeProvider time)
{
    /// <summary>Weight of the newest gap between two starts in their moving average.</summary>
    private const double NewestWeight = 0.2;

    private static readonly TimeSpan MinRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxRetry = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _byTenant = new(StringComparer.Ordinal);
    private int _waitingRequests;
    private long _waitingTokens;
    private long _lastStart = time.GetTimestamp();
    private TimeSpan _meanGap = MinRetry;

    public int WaitingRequests
    {
        get
        {
            lock (_lock)
            {
                return _waitingRequests;
            }
        }
    }

    public long WaitingTokens
    {
        get
        {
            lock (_lock)
            {
                return _waitingTokens;
            }
        }
    }

    public WaitingTicket Enter(string tenant)
    {
        lock (_lock)
        {
            if (_waitingRequests >= limits.MaxWaitingRequests)
            {
                throw Full("requests", limits.MaxWaitingRequests);
            }
            var own = _byTenant.GetValueOrDefault(tenant);
            if (own >= limits.MaxWaitingPerTenant)
            {
                throw Full("requests of this tenant", limits.MaxWaitingPerTenant);
            }
            _byTenant[tenant] = own + 1;
            _waitingRequests++;
            return new WaitingTicket(this, tenant);
        }
    }

    internal void Charge(long tokens)
    {
        lock (_lock)
        {
            // A request that waits alone is always let in: its own size is bounded by the model's context.
            if (_waitingTokens > 0 && _waitingTokens + tokens > limits.MaxWaitingTokens)
            {
                throw Full("prompt tokens", limits.MaxWaitingTokens);
            }
            _waitingTokens += tokens;
        }
    }

    internal void Leave(long tokens, string tenant)
    {
        lock (_lock)
        {
            _waitingRequests--;
            _waitingTokens -= tokens;
            if (--_byTenant[tenant] == 0)
            {
                _byTenant.Remove(tenant);
            }
            var gap = time.GetElapsedTime(_lastStart);
            _lastStart = time.GetTimestamp();
            _meanGap = _meanGap * (1 - NewestWeight) + Min(gap, MaxRetry) * NewestWeight;
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private InferenceFault Full(string what, long limit)
    {
        var backlog = Min(_meanGap * Math.Max(1, _waitingRequests), MaxRetry);
        return new InferenceFault(
            FaultKind.QueueFull,
            $"{limit} {what} wait already. Try again later.",
            ("limit", limit.ToString(CultureInfo.InvariantCulture)))
        {
            RetryAfter = backlog > MinRetry ? backlog : MinRetry,
        };
    }
}
