using Google.Protobuf.WellKnownTypes;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>The measured values of a job over its steps, each step once.</summary>
internal static class TrainingMetrics
{
    private const int MaxPageSize = 10_000;
    private const int DefaultPageSize = 1000;

    public static ListTrainingMetricsResponse PageOf(string id, IReadOnlyList<JobEventEntry> history, ListTrainingMetricsRequest request)
    {
        new FieldViolations().Check(request.MaxPoints >= 0, "max_points", "must not be negative").ThrowIfAny();
        var rows = RowsOf(history);
        var points = request.MaxPoints > 0 && rows.Count > request.MaxPoints ? Thin(rows, request.MaxPoints) : rows;
        var query = $"metrics/{id}/{request.MaxPoints}/{string.Join(',', request.Metrics)}";
        var page = FineTuneHistory.Cut(points, query, request.PageSize, request.PageToken, (DefaultPageSize, MaxPageSize), row => row.Step);
        return new ListTrainingMetricsResponse { Rows = { page.Items.Select(row => ToProto(row, request.Metrics)) }, NextPageToken = page.NextPageToken };
    }

    /// <summary>An attempt that goes back reports steps again: what was reported of them before is not part of the job any more.</summary>
    internal static IReadOnlyList<MetricsRow> RowsOf(IEnumerable<JobEventEntry> history)
    {
        var rows = new List<MetricsRow>();
        foreach (var entry in history)
        {
            if (entry.Body is MetricsBody metrics)
            {
                while (rows.Count > 0 && rows[^1].Step >= metrics.Step)
                {
                    rows.RemoveAt(rows.Count - 1);
                }

                rows.Add(new MetricsRow(metrics.Step, metrics.StageId, entry.Time, metrics.Values));
            }
        }

        return rows;
    }

    private static List<MetricsRow> Thin(IReadOnlyList<MetricsRow> rows, int count) =>
    [
        .. rows.Chunk((rows.Count + count - 1) / count).Select(chunk => chunk[^1] with
        {
            Values = chunk.SelectMany(row => row.Values)
                .GroupBy(value => value.Key, StringComparer.Ordinal)
                .ToDictionary(values => values.Key, values => values.Average(value => value.Value), StringComparer.Ordinal),
        }),
    ];

    private static ListTrainingMetricsResponse.Types.Row ToProto(MetricsRow row, Google.Protobuf.Collections.RepeatedField<string> names) => new()
    {
        Step = row.Step,
        StageId = row.StageId,
        CreateTime = row.Time.ToTimestamp(),
        Values = { row.Values.Where(value => names.Count == 0 || names.Contains(value.Key)).ToDictionary() },
    };

    internal sealed record MetricsRow(long Step, string StageId, DateTimeOffset Time, IReadOnlyDictionary<string, double> Values);
}
