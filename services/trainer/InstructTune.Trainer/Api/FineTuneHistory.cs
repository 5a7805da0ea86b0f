using System.Globalization;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Trainer.Checkpoints;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>Pages of what happened to a job.</summary>
internal static class FineTuneHistory
{
    private const int MaxPageSize = 1000;
    private const int DefaultPageSize = 50;
    private const long MaxAttempts = 1 << 20;

    public static ListFineTuneJobEventsResponse PageOf(string id, IReadOnlyList<JobEventEntry> history, ListFineTuneJobEventsRequest request)
    {
        var page = Cut(history, $"events/{id}", request.PageSize, request.PageToken, (DefaultPageSize, MaxPageSize), entry => entry.Sequence);
        return new ListFineTuneJobEventsResponse
        {
            Events = { page.Items.Select(entry => entry.ToProto(body => FineTuneNames.Checkpoint(id, body.Checkpoint))) },
            NextPageToken = page.NextPageToken,
        };
    }

    /// <summary>Where a checkpoint stands among those of its job: a later attempt may have saved the same step again.</summary>
    public static long NewestFirst((CheckpointReference Reference, CheckpointManifest Manifest) link) =>
        -((link.Reference.Step * MaxAttempts) + link.Reference.Attempt);

    /// <summary>The items behind the one that the token names, as many as a page holds.</summary>
    public static (IReadOnlyList<T> Items, string NextPageToken) Cut<T>(
        IReadOnlyList<T> items, string query, int pageSize, string pageToken, (int Default, int Max) sizes, Func<T, long> position)
    {
        new FieldViolations().Check(pageSize >= 0, "page_size", "must not be negative").ThrowIfAny();
        var after = pageToken.Length == 0 ? long.MinValue : long.Parse(PageToken.Decode(query, pageToken), CultureInfo.InvariantCulture);
        var size = pageSize == 0 ? sizes.Default : Math.Min(pageSize, sizes.Max);
        var rest = items.Where(item => position(item) > after).Take(size + 1).ToList();
        if (rest.Count <= size)
        {
            return (rest, "");
        }

        rest.RemoveAt(size);
        return (rest, PageToken.Encode(query, position(rest[^1]).ToString(CultureInfo.InvariantCulture)));
    }
}
