using Microsoft.Extensions.Options;

namespace InstructTune.Jobs;

/// <summary>How long workers may be silent, and how faults are tried again.</summary>
public sealed class LeaseOptions
{
    public const string Section = "Jobs";
    public const int DefaultMaxAttempts = 5;

    /// <summary>Silence after which a lease is lost. Higher rides out longer outages of the store; lower finds lost workers sooner.</summary>
    public TimeSpan Duration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Time between renewals. At most half of <see cref="Duration"/>, so that one may be missed.</summary>
    public TimeSpan RenewalInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often an idle worker or a follower looks, where no hint came. Lower costs more calls to the store.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Time between looks for expired leases and due retries.</summary>
    public TimeSpan ReapInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time between repairs of the queue: queued jobs in no list, running jobs without a lease.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest time without progress before a worker lets its lease lapse; 20 median steps where those take longer.</summary>
    public TimeSpan StallLimit { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long work may go on after its lease was lost before it is taken to hang for good.</summary>
    public TimeSpan HungLimit { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Pause before the first retry is twice this, then four times, and so on.</summary>
    public TimeSpan RetryUnit { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest pause before a retry.</summary>
    public TimeSpan RetryMax { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Silence after which a follower of events is told that it has caught up.</summary>
    public TimeSpan CaughtUpInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Newest events kept of each job.</summary>
    public int EventsKept { get; set; } = 10_000;
}

internal sealed class LeaseOptionsValidator : IValidateOptions<LeaseOptions>
{
    public ValidateOptionsResult Validate(string? name, LeaseOptions options)
    {
        var problems = new List<string>();
        if (options.RenewalInterval <= TimeSpan.Zero || options.RenewalInterval * 2 > options.Duration)
        {
            problems.Add($"{LeaseOptions.Section}:RenewalInterval ({options.RenewalInterval}) must be positive and at most half of "
                + $"{LeaseOptions.Section}:Duration ({options.Duration}).");
        }

        foreach (var (key, value) in new[]
        {
            (nameof(options.PollInterval), options.PollInterval),
            (nameof(options.ReapInterval), options.ReapInterval),
            (nameof(options.SweepInterval), options.SweepInterval),
            (nameof(options.StallLimit), options.StallLimit),
            (nameof(options.HungLimit), options.HungLimit),
            (nameof(options.CaughtUpInterval), options.CaughtUpInterval),
        })
        {
            if (value <= TimeSpan.Zero)
            {
                problems.Add($"{LeaseOptions.Section}:{key} ({value}) must be positive.");
            }
        }

        if (options.EventsKept < 1)
        {
            problems.Add($"{LeaseOptions.Section}:EventsKept ({options.EventsKept}) must be at least 1.");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
