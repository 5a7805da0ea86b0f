using System.Globalization;
using InstructTune.Storage;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Where a trained stage lies.</summary>
/// <param name="Job">ID of the job that trained it.</param>
/// <param name="Checkpoint">The stage's last checkpoint, as the job's record names it.</param>
internal sealed record TrainedStage(string Job, string Checkpoint);

/// <summary>
/// Trained stages by identity, and who trains one now. A claim is a document whose number can be taken once, so that of several jobs that find
/// a stage untrained, or its trainer gone, one trains it. All of it is a hint: at worst a stage is trained twice, with equal bits.
/// </summary>
internal sealed class StageIndex(IDocumentStore documents)
{
    private const string Stages = "trained-stages";

    public TrainedStage? Find(string identity) => documents.Find<TrainedStage>(Stages, identity)?.Content;

    public void Record(string identity, TrainedStage stage) => documents.Put(Stages, identity, stage);

    /// <summary>The newest claim; number 0 where there is none.</summary>
    public (int Number, string Job) Claim(string identity)
    {
        var newest = documents.List<StageClaim>(Claims(identity), 1000, "").Items.Select(claim => claim.Content).MaxBy(claim => claim.Number);
        return newest is null ? (0, "") : (newest.Number, newest.Job);
    }

    /// <summary>False where another job took the number first.</summary>
    public bool TryClaim(string identity, int number, string job) =>
        documents.TryCreate(Claims(identity), number.ToString(CultureInfo.InvariantCulture), new StageClaim(number, job));

    private static string Claims(string identity) => $"{Stages}/{identity}/claims";

    private sealed record StageClaim(int Number, string Job);
}
