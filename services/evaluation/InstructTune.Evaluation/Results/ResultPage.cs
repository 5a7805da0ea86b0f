using System.Globalization;
using InstructTune.Evaluation.Runs;
using InstructTune.Evaluation.Suites;
using InstructTune.Storage;

namespace InstructTune.Evaluation.Results;

/// <summary>A page of answers, by task in the suite's order and by example.</summary>
internal sealed record ResultPage(IReadOnlyList<Answer> Answers, string NextPageToken)
{
    /// <summary>Stable while a run goes on: a page begins after the last answer of the one before, wherever that lies by now.</summary>
    public static ResultPage Of(string run, Suite suite, IReadOnlyList<Answer> answers, int pageSize, string pageToken)
    {
        var query = RunSpec.NameOf(run) + "/results";
        var after = pageToken.Length == 0 ? (Task: -1, Example: -1L) : ParseCursor(PageToken.Decode(query, pageToken));
        var orders = suite.Tasks.Select((task, order) => (task.TaskId, order)).ToDictionary(pair => pair.TaskId, pair => pair.order, StringComparer.Ordinal);
        var size = PageSize.Of(pageSize);
        var page = answers
            .Select(answer => (Cursor: (Task: orders[answer.TaskId], Example: answer.ExampleIndex), Answer: answer))
            .Where(pair => pair.Cursor.CompareTo(after) > 0)
            .OrderBy(pair => pair.Cursor)
            .Take(size + 1)
            .ToList();
        return page.Count <= size
            ? new ResultPage([.. page.Select(pair => pair.Answer)], "")
            : new ResultPage([.. page.Take(size).Select(pair => pair.Answer)], PageToken.Encode(query, FormatCursor(page[size - 1].Cursor)));
    }

    private static string FormatCursor((int Task, long Example) cursor) =>
        string.Create(CultureInfo.InvariantCulture, $"{cursor.Task}|{cursor.Example}");

    private static (int Task, long Example) ParseCursor(string cursor)
    {
        var parts = cursor.Split('|');
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
