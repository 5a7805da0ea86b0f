using InstructTune.Modeling.Weights;
using InstructTune.Storage;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// Between two stages: what was trained becomes what the next stage sits on. What is made here is an artifact and a function of the stage's last checkpoint,
/// so that a crash in the middle costs the work and nothing else.
/// </summary>
internal sealed class StageHandover(ModelOpener opener, IArtifactStore artifacts)
{
    /// <summary>Under the first stage, where the job starts from full weights, or from an adapter.</summary>
    public Foundation First(FineTuneOrder order)
    {
        var weights = new Foundation(order.BaseManifestSha256, order.BaseAdapters);
        if (order.AdapterManifestSha256.Length == 0)
        {
            return weights;
        }

        return order.Spec.Stages[0].Transition switch
        {
            StageTransition.Stack => weights with { Adapters = [.. weights.Adapters, order.AdapterManifestSha256] },
            StageTransition.MergeThenNew => new Foundation(Merge(order, weights), []),
            _ => weights,
        };
    }

    /// <summary>Opens the model of a stage that has not begun.</summary>
    /// <param name="order">The job.</param>
    /// <param name="stageIndex">The stage.</param>
    /// <param name="before">The model of the stage before, at its end; null for the first. It is this method's to dispose.</param>
    /// <param name="under">What that model sits on.</param>
    public (TrainedModel Model, Foundation Foundation) Begin(FineTuneOrder order, int stageIndex, TrainedModel? before, Foundation? under)
    {
        if (before is null || under is null)
        {
            var first = First(order);
            return (opener.Open(order, stageIndex, first, WarmStartFolder(order)), first);
        }

        var transition = order.Spec.Stages[stageIndex].Transition;
        if (transition == StageTransition.Continue)
        {
            return (before, under);
        }

        using (before)
        {
            under = transition == StageTransition.Stack
                ? under with { Adapters = [.. under.Adapters, Publish(before.SaveWeights)] }
                : new Foundation(Publish(folder => before.WriteMerged(folder, opener.FolderOf(under.ManifestSha256))), []);
        }

        return (opener.Open(order, stageIndex, under, null), under);
    }

    // An adapter that is trained on has the form of a checkpoint's weights.
    private string? WarmStartFolder(FineTuneOrder order) =>
        order.AdapterManifestSha256.Length > 0 && order.Spec.Stages[0].Transition == StageTransition.Continue
            ? opener.FolderOf(order.AdapterManifestSha256)
            : null;

    private string Merge(FineTuneOrder order, Foundation weights)
    {
        using var model = opener.OpenFrozen(weights with { Adapters = [.. weights.Adapters, order.AdapterManifestSha256] });
        return Publish(folder => HuggingFaceFolder.Write(folder, model, opener.FolderOf(weights.ManifestSha256)));
    }

    private string Publish(Action<string> write)
    {
        using var staging = artifacts.CreateStaging();
        write(staging.Path);
        return artifacts.PublishAsync(staging, CancellationToken.None).GetAwaiter().GetResult().Sha256;
    }
}
