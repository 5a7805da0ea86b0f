using System.Globalization;
using System.Security.Cryptography;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Admission;

/// <summary>
/// Bounds what waits. A request that finds the queue full, or that cannot start before its deadline, is told so at once, and when to come back.
/// Looks at counts only, so that a refusal costs next to nothing.
/// </summary>
internal sealed class AdmissionGate(AdmissionLimits limits, TimeProvider time)
{
    /// <summary>Weight of the newest gap between two starts in their moving average. Several often start in one step.</summary>
    private const double NewestWeight = 1.0 / 16;

    /// <summary>So many starts must be known before a deadline is judged by them.</summary>
    private const int FewestStarts = 8;

    /// <summary>Those who were refused together do not come back together.</summary>
    private const double Jitter = 0.2;

    private const int JitterSteps = 1000;

    private static readonly TimeSpan MinRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxRetry = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (int Requests, long Tokens)> _byTenant = new(StringComparer.Ordinal);
    private readonly long[] _tokensByUrgency = new long[Enum.GetValues<Urgency>().Length];
    private int _waitingRequests;
    private long _waitingTokens;
    private long _lastStart;
    private TimeSpan _meanGap = MinRetry;

    /// <summary>As far as they matter.</summary>
    private int _starts;

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

    /// <summary>The same, by <see cref="Urgency"/>.</summary>
    public long[] WaitingTokensByUrgency
    {
        get
        {
            lock (_lock)
            {
                return [.. _tokensByUrgency];
            }
        }
    }

    /// <param name="tenant">Who asks.</param>
    /// <param name="timeLeft">Until the request's deadline; null when it has none.</param>
    /// <param name="urgency">How urgent it says that it is.</param>
    public WaitingTicket Enter(string tenant, TimeSpan? timeLeft = null, Urgency urgency = Urgency.Standard)
    {
        lock (_lock)
        {
            if (_waitingRequests >= limits.MaxWaitingRequests)
            {
                throw Full("requests", limits.MaxWaitingRequests);
            }
            if (urgency == Urgency.Batch && _waitingRequests >= limits.MaxWaitingInNoHurry)
            {
                throw Full("requests", limits.MaxWaitingInNoHurry);
            }
            var own = _byTenant.GetValueOrDefault(tenant);
            if (own.Requests >= limits.MaxWaitingPerTenant)
            {
                throw Full("requests of this tenant", limits.MaxWaitingPerTenant);
            }
            // Who is too late already hears it from gRPC.
            if (timeLeft is { } left && left > TimeSpan.Zero && _starts >= FewestStarts && WaitBehind(own.Requests) is var wait && wait > left)
            {
                throw TooLate(wait, left);
            }
            if (_waitingRequests == 0)
            {
                // While nobody waits, no time passes between two starts.
                _lastStart = time.GetTimestamp();
            }
            _byTenant[tenant] = own with { Requests = own.Requests + 1 };
            _waitingRequests++;
            return new WaitingTicket(this, tenant);
        }
    }

    internal void Charge(string tenant, long tokens, Urgency urgency)
    {
        lock (_lock)
        {
            // A request that waits alone is always let in: its own size is bounded by the model's context.
            if (_waitingTokens > 0 && _waitingTokens + tokens > limits.MaxWaitingTokens)
            {
                throw Full("prompt tokens", limits.MaxWaitingTokens);
            }
            var own = _byTenant[tenant];
            if (own.Tokens > 0 && own.Tokens + tokens > limits.MaxWaitingTokensPerTenant)
            {
                throw Full("prompt tokens of this tenant", limits.MaxWaitingTokensPerTenant);
            }
            _byTenant[tenant] = own with { Tokens = own.Tokens + tokens };
            _waitingTokens += tokens;
            _tokensByUrgency[(int)urgency] += tokens;
        }
    }

    internal void Leave(string tenant, long tokens, Urgency urgency)
    {
        lock (_lock)
        {
            _waitingRequests--;
            _waitingTokens -= tokens;
            _tokensByUrgency[(int)urgency] -= tokens;
            var own = _byTenant[tenant];
            if (own.Requests == 1)
            {
                _byTenant.Remove(tenant);
            }
            else
            {
                _byTenant[tenant] = (own.Requests - 1, own.Tokens - tokens);
            }
            var now = time.GetTimestamp();
            var gap = Min(time.GetElapsedTime(_lastStart, now), MaxRetry);
            _lastStart = now;
            _meanGap = _starts == 0 ? gap : (_meanGap * (1 - NewestWeight)) + (gap * NewestWeight);
            _starts = Math.Min(_starts + 1, FewestStarts);
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Retry(TimeSpan after)
    {
        var bounded = after < MinRetry ? MinRetry : Min(after, MaxRetry);
        return bounded * (1 + (Jitter * RandomNumberGenerator.GetInt32(JitterSteps) / JitterSteps));
    }

    /// <summary>Tenants take turns, so that one with few requests does not wait behind all of one with many.</summary>
    private TimeSpan WaitBehind(int own) => _meanGap * Math.Min(_waitingRequests, (long)own * _byTenant.Count);

    private InferenceFault Full(string what, long limit) => new(
        FaultKind.QueueFull,
        $"{limit} {what} wait already. Try again later.",
        ("limit", limit.ToString(CultureInfo.InvariantCulture)))
    {
        RetryAfter = Retry(_meanGap * Math.Max(1, _waitingRequests)),
    };

    private static InferenceFault TooLate(TimeSpan wait, TimeSpan left) => new(
        FaultKind.QueueFull,
        FormattableString.Invariant($"What waits already takes about {wait.TotalSeconds:0.0} s; the deadline is in {left.TotalSeconds:0.0} s. Try again later, or with a later deadline."),
        ("estimated_wait_ms", wait.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)))
    {
        Cause = "deadline",
        RetryAfter = Retry(wait - left),
    };
}
