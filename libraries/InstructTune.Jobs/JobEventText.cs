using System.Globalization;
using System.Text.Json;

namespace InstructTune.Jobs;

/// <summary>
/// The stored form of an event: <c>sequence|ms|attempt|payload</c>. The payload is base64 of JSON, or, for a change of
/// state, <c>FROM>TO>cause</c>, which the scripts can write without building JSON.
/// </summary>
internal static class JobEventText
{
    public static string EncodePayload(JobEventBody body) =>
        body is StateChangedBody
            ? throw new ArgumentException("Only the scripts write changes of state.", nameof(body))
            : Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(body, JobJson.Options));

    public static JobEventEntry Parse(string entry)
    {
        var parts = entry.Split('|');
        if (parts.Length != 4)
        {
            throw new InvalidDataException($"`{entry}` is not an event of a job.");
        }

        return new JobEventEntry(
            long.Parse(parts[0], CultureInfo.InvariantCulture),
            DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(parts[1], CultureInfo.InvariantCulture)),
            int.Parse(parts[2], CultureInfo.InvariantCulture),
            ParsePayload(parts[3]));
    }

    private static JobEventBody ParsePayload(string payload)
    {
        var change = payload.Split('>');
        return change.Length == 3
            ? new StateChangedBody(JobStateNames.Parse(change[0]), JobStateNames.Parse(change[1]), JobFault.Decode(change[2]))
            : JsonSerializer.Deserialize<JobEventBody>(Convert.FromBase64String(payload), JobJson.Options)
                ?? throw new InvalidDataException($"`{payload}` is not the payload of an event.");
    }
}
