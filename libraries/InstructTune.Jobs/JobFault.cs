using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace InstructTune.Jobs;

/// <summary>Why a job ended otherwise than it should, or was tried again. The reason is one of the API's, without prefix.</summary>
[method: JsonConstructor]
public sealed record JobFault(string Reason, string Message, IReadOnlyDictionary<string, string> Metadata)
{
    public const string AttemptsExhausted = "ATTEMPTS_EXHAUSTED";
    public const string CancelledByCaller = "CANCELLED_BY_CALLER";
    public const string DeviceOutOfMemory = "DEVICE_OUT_OF_MEMORY";
    public const string Internal = "INTERNAL";

    private static readonly IReadOnlyDictionary<string, string> Nothing = new Dictionary<string, string>(StringComparer.Ordinal);

    public JobFault(string reason, string message)
        : this(reason, message, Nothing)
    {
    }

    internal static JobFault Cancelled { get; } = new(CancelledByCaller, "The job was cancelled. Resume it to go on from its last checkpoint.");

    internal static JobFault Paused { get; } = new(CancelledByCaller, "The job was paused. Resume it to go on from its last checkpoint.");

    internal static JobFault StoreRebuilt { get; } = new(Internal, "The job store lost this job and got it back from its archive.");

    internal static JobFault LeaseLost { get; } = new(Internal, "The worker was lost: its lease ran out. The job goes on from its last checkpoint.");

    internal static JobFault LostTooOften { get; } = new(
        AttemptsExhausted,
        "The worker was lost on every attempt, with no new checkpoint between them. Look at the worker's log for what ends it, then resume the job.");

    /// <summary>The fault that ends a job when this one came back on every attempt.</summary>
    internal JobFault Exhausted() =>
        new(AttemptsExhausted, $"The fault came back on every attempt. Last: {Message}", new Dictionary<string, string>(Metadata, StringComparer.Ordinal) { ["last_reason"] = Reason });

    /// <summary>Base64, so that no separator of the event history can occur in it.</summary>
    internal static string Encode(JobFault? fault) =>
        fault is null ? "" : Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(fault, JobJson.Options));

    internal static JobFault? Decode(string text) =>
        text.Length == 0 ? null : JsonSerializer.Deserialize<JobFault>(Encoding.UTF8.GetString(Convert.FromBase64String(text)), JobJson.Options);
}
