using InstructTune.Storage;

namespace InstructTune.Evaluation.Results;

/// <summary>The scores of finished tasks, also of runs that still go on.</summary>
internal sealed class ScoreBoard(IDocumentStore documents)
{
    private const string Collection = "evaluation-scores";

    /// <summary>In the order in which tasks finished, which is that of the suite.</summary>
    public IReadOnlyList<TaskScore> Get(string run) => documents.Find<List<TaskScore>>(Collection, run)?.Content ?? [];

    /// <summary>Adds the scores of a task, in place of those that an earlier attempt put.</summary>
    public void Put(string run, IReadOnlyList<TaskScore> scores)
    {
        var others = Get(run).Where(score => score.TaskId != scores[0].TaskId);
        documents.Put<List<TaskScore>>(Collection, run, [.. others, .. scores]);
    }
}
