using System.ComponentModel.DataAnnotations;

namespace InstructTune.Storage;

/// <summary>How Redis, or a server that speaks like it, is reached.</summary>
public sealed class RedisOptions
{
    public const string Section = "Redis";

    /// <summary>Connection string as StackExchange.Redis reads it, such as <c>127.0.0.1:6379,password=...</c>.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Configuration { get; set; } = "";

    /// <summary>Longest time a call waits for the store, repetitions included. Higher rides out longer restarts; lower fails sooner.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>First pause before a call that could not be sent is tried again; doubled each time, with jitter.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether the store is asked at start for what jobs rely on; off where the process has asked already.</summary>
    public bool SelfCheck { get; set; } = true;

    /// <summary>How long calls fail at once after several found the store away, before one is let through to look; at least 0.5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "1.00:00:00")]
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromMilliseconds(500);
}
