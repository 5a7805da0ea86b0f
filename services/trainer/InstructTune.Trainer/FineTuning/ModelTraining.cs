using InstructTune.Jobs;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using TorchSharp;

namespace InstructTune.Trainer.FineTuning;

/// <summary>What an attempt trains from.</summary>
/// <param name="Restored">The job's own checkpoint, if any.</param>
/// <param name="Adopted">Folder of another job's checkpoint that the attempt starts from instead; null for none.</param>
/// <param name="Stages">Those still to be trained, in order.</param>
/// <param name="Progress">Where the job is, with the planned steps of every stage.</param>
/// <param name="Identities">Of all stages; empty where none is to be reused.</param>
internal sealed record TrainingInput(
    RestoredState Restored, string? Adopted, IReadOnlyList<StageRun> Stages, JobProgress Progress, IReadOnlyList<string> Identities);

/// <summary>Everything of an attempt that touches tensors, on the training thread.</summary>
internal sealed class ModelTraining(TrainingThread thread, StageSequence sequence)
{
    public void Abandon() => thread.Abandon();

    /// <summary>What results depend on besides their inputs; asked of the thread that computes.</summary>
    public Task<IReadOnlyDictionary<string, string>> NumericsAsync() => thread.RunAsync(NumericsFingerprint.Current);

    /// <summary>Trains the stages, writes the model or adapter to <paramref name="resultFolder"/>, and returns where the job is then.</summary>
    public Task<JobProgress> RunAsync(JobLog log, FineTuneOrder order, TrainingInput input, string resultFolder) => thread.RunAsync(() =>
    {
        try
        {
            using var scope = torch.NewDisposeScope();
            return sequence.Run(log, order, input, resultFolder);
        }
        catch (ModelFormatException exception)
        {
            throw new JobFailedException(new JobFault("MODEL_FILES_INVALID", exception.Message), exception);
        }
        catch (Exception exception) when (MemoryShortage.Caused(exception))
        {
            throw new JobOutOfMemoryException(
                new JobFault("DEVICE_OUT_OF_MEMORY", "The device ran out of memory. Lower micro_batch_size or max_sequence_tokens."), exception);
        }
        finally
        {
            NativeHeap.Release();
            FailPoint.Hit("training.job-ended");
        }
    });
}
