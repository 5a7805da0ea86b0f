using System.Runtime.InteropServices;
using InstructTune.Jobs;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using InstructTune.Trainer.Checkpoints;
using TorchSharp;

namespace InstructTune.Trainer.FineTuning;

/// <summary>What an attempt trains from.</summary>
/// <param name="BaseFolder">The base model.</param>
/// <param name="Restored">The checkpoint, if any.</param>
/// <param name="Stages">Those still to be trained, in order.</param>
/// <param name="Progress">Where the job is, with the planned steps of every stage.</param>
internal sealed record TrainingInput(string BaseFolder, RestoredState Restored, IReadOnlyList<StageRun> Stages, JobProgress Progress)
{
    public int LongestRowTokens => Stages.SelectMany(stage => stage.Data.Rows).Select(row => row.Ids.Length).DefaultIfEmpty().Max();
}

/// <summary>Everything of an attempt that touches tensors, on the training thread.</summary>
internal sealed class ModelTraining(TrainingThread thread, CheckpointStore checkpoints, DeviceTurns turns, TimeProvider time)
{
    /// <summary>Trains the stages and writes the model or adapter to <paramref name="resultFolder"/>.</summary>
    public Task RunAsync(JobLog log, FineTuneOrder order, TrainingInput input, string resultFolder) => thread.RunAsync(() =>
    {
        try
        {
            Run(log, order, input, resultFolder);
            return true;
        }
        catch (ModelFormatException exception)
        {
            throw new JobFailedException(new JobFault("MODEL_FILES_INVALID", exception.Message), exception);
        }
        catch (ExternalException exception) when (IsOutOfMemory(exception))
        {
            throw new JobOutOfMemoryException(
                new JobFault("DEVICE_OUT_OF_MEMORY", "The device ran out of memory. Lower micro_batch_size or max_sequence_tokens."), exception);
        }
        finally
        {
            NativeHeap.Release();
        }
    });

    private void Run(JobLog log, FineTuneOrder order, TrainingInput input, string resultFolder)
    {
        using var scope = torch.NewDisposeScope();
        log.Phase("loading", input.Progress);
        using var model = TrainedModel.Load(input.BaseFolder, order.Spec);
        var memory = model.EstimateMemory(log.Job.OutOfMemoryRetries);
        memory.RequireFit(input.LongestRowTokens, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        if (input.Restored.Folder is { } checkpoint)
        {
            model.LoadWeights(checkpoint);
        }

        var writer = new CheckpointWriter(checkpoints, log, order.Spec, input.Restored);
        var runner = new StageRunner(model, memory, log, writer, turns, time);
        var progress = input.Progress;
        log.Phase("training", progress);
        foreach (var stage in input.Stages)
        {
            var hasBegun = progress.Stages[stage.Index].CompletedSteps > 0;
            progress = runner.Run(stage, progress, hasBegun ? input.Restored.Folder : null);
        }

        model.WriteResult(resultFolder, input.BaseFolder);
    }

    // libtorch says it in words only.
    private static bool IsOutOfMemory(ExternalException exception) =>
        exception.Message.Contains("not enough memory", StringComparison.Ordinal)
        || exception.Message.Contains("can't allocate memory", StringComparison.Ordinal)
        || exception.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);
}
