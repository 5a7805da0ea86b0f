using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using InstructTune.Jobs;

namespace InstructTune.Trainer.Api;

/// <summary>What a job's <c>etag</c> says: whether anything of it but its lease has changed. Opaque to callers (AIP-154).</summary>
internal static class JobEtag
{
    private const int Bytes = 12;

    // Every change of a job is an event; a job that took the name of a deleted one began at another time.
    public static string Of(JobRecord job) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{job.Id}|{job.Created.ToUnixTimeMilliseconds()}|{job.LastSequence}|{job.State}"))).AsSpan(0, Bytes));
}
