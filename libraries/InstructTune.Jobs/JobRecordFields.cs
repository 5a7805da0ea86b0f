using System.Globalization;
using StackExchange.Redis;

namespace InstructTune.Jobs;

/// <summary>Fields and values of the stored record to a <see cref="JobRecord"/>.</summary>
internal static class JobRecordFields
{
    public static JobRecord? Parse(string id, RedisResult fieldsAndValues)
    {
        if (fieldsAndValues.Length <= 0)
        {
            return null;
        }

        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var index = 0; index + 1 < fieldsAndValues.Length; index += 2)
        {
            fields[fieldsAndValues[index].ToString()] = fieldsAndValues[index + 1].ToString();
        }

        return new JobRecord
        {
            Id = id,
            State = JobStateNames.Parse(fields["state"]),
            Attempt = Count(fields, "attempt"),
            Failures = Count(fields, "failures"),
            MaxAttempts = Count(fields, "max_attempts"),
            OutOfMemoryRetries = Count(fields, "oom"),
            Spec = fields["spec"],
            SpecSha256 = fields["spec_sha256"],
            Progress = double.Parse(fields["progress"], CultureInfo.InvariantCulture),
            Phase = fields["phase"],
            Checkpoint = fields["checkpoint"],
            Step = long.Parse(fields["step"], CultureInfo.InvariantCulture),
            Result = fields["result"],
            Error = JobFault.Decode(fields["error"]),
            FirstSequence = long.Parse(fields["first_sequence"], CultureInfo.InvariantCulture),
            LastSequence = long.Parse(fields["sequence"], CultureInfo.InvariantCulture),
            Created = Time(fields, "created")!.Value,
            Started = Time(fields, "started"),
            Ended = Time(fields, "ended"),
            Updated = Time(fields, "updated") ?? Time(fields, "created")!.Value,
            Owner = fields["owner"],
            LeaseExpires = Time(fields, "lease"),
            LastFault = JobFault.Decode(fields.GetValueOrDefault("last_fault", "")),
            Priority = ParsePriority(fields.GetValueOrDefault("priority", "")),
            CancelCause = ParseCause(fields.GetValueOrDefault("cause", "")),
            IsCheckpointAsked = fields.GetValueOrDefault("asked", "").Length > 0,
            TraceParent = fields["trace_parent"],
        };
    }

    public static string Stored(JobPriority priority) => priority.ToString().ToUpperInvariant();

    public static string Stored(CancelCause? cause) => cause switch { CancelCause.Pause => "PAUSE", CancelCause.Caller => "CALLER", _ => "" };

    public static JobPriority ParsePriority(string stored) =>
        Enum.TryParse<JobPriority>(stored, ignoreCase: true, out var priority) ? priority : JobPriority.Normal;

    public static CancelCause? ParseCause(string stored) => stored switch { "PAUSE" => CancelCause.Pause, "CALLER" => CancelCause.Caller, _ => null };

    private static int Count(Dictionary<string, string> fields, string name) => int.Parse(fields[name], CultureInfo.InvariantCulture);

    private static DateTimeOffset? Time(Dictionary<string, string> fields, string name) =>
        fields.TryGetValue(name, out var text) && text.Length > 0
            ? DateTimeOffset.FromUnixTimeMilliseconds((long)double.Parse(text, CultureInfo.InvariantCulture))
            : null;
}
