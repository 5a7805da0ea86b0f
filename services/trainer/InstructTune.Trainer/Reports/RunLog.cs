using InstructTune.Storage;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Reports;

/// <summary>
/// Every step of a job so far, across attempts, each once. Checkpoints carry it, so that an attempt that goes back begins with the rows of its
/// checkpoint; the attempt's log folder shows it while the job runs. Lives on the training thread.
/// </summary>
internal sealed class RunLog(LogFolder folder, FineTuneSpec spec, TimeProvider time)
{
    private static readonly TimeSpan StateInterval = TimeSpan.FromSeconds(5);

    private readonly List<LoggedRow> _rows = [];
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal) { ["args/text_summary"] = SpecText.Of(spec) };
    private long _started = time.GetTimestamp();
    private long _lastState = long.MinValue;
    private double _elapsedBefore;
    private long _parameterCount;

    public IReadOnlyList<LoggedRow> Rows => _rows;

    public long SeenTokens => _rows.Count == 0 ? 0 : (long)(_rows[^1].Find(LoggedRow.SeenTokens) ?? 0);

    /// <summary>What is trained, or was before this attempt.</summary>
    /// <param name="parameterCount">Of the model, for the count of operations; an adapter's base counts, embeddings do not.</param>
    /// <param name="config">What TensorBoard shows of the model.</param>
    public void Describe(long parameterCount, string config)
    {
        _parameterCount = parameterCount;
        _texts["model_config/text_summary"] = config;
    }

    /// <summary>A stage begins to train.</summary>
    public void Begin()
    {
        _started = time.GetTimestamp();
        _elapsedBefore = _rows.Count == 0 ? 0 : _rows[^1].ElapsedSeconds;
    }

    /// <summary>Goes on from what a checkpoint has; from nothing without one.</summary>
    public void Restore(string? checkpointFolder)
    {
        _rows.Clear();
        var path = checkpointFolder is null ? null : Path.Combine(checkpointFolder, RowFile.FileName);
        if (File.Exists(path))
        {
            _rows.AddRange(RowFile.Parse(File.ReadLines(path)));
        }
    }

    public void Step(StageRun run, JobProgress progress, IReadOnlyDictionary<string, double> values, TimeSpan validationTime)
    {
        var added = StepRows.Of(new StepReport
        {
            Step = progress.CompletedSteps,
            PlannedSteps = progress.PlannedSteps,
            StageId = run.Spec.StageId,
            UnixSeconds = Now,
            ElapsedSeconds = _elapsedBefore + time.GetElapsedTime(_started).TotalSeconds,
            Values = values,
            ValidationSets = [.. run.Spec.ValidationDatasets.Select(name => name.Split('/').ElementAtOrDefault(1) ?? name)],
            ValidationSeconds = validationTime.TotalSeconds,
            ValidationExamples = run.Validation.Sum(set => set.Rows.Count),
            ValidationBatches = run.Validation.Sum(set => (set.Rows.Count + run.Spec.MicroBatchSize - 1) / run.Spec.MicroBatchSize),
        });
        _rows.AddRange(added);
        folder.Write(_rows, added.Count, _texts);
        if (_lastState == long.MinValue || time.GetElapsedTime(_lastState) >= StateInterval)
        {
            folder.WriteWhole(TrainerState.FileName, State(progress, run.Index));
        }
    }

    /// <summary>What a checkpoint carries of it.</summary>
    public void Save(string checkpointFolder, StageRun run, JobProgress progress)
    {
        var state = State(progress, run.Index);
        AtomicFile.Write(Path.Combine(checkpointFolder, TrainerState.FileName), state);
        AtomicFile.Write(
            Path.Combine(checkpointFolder, RowFile.FileName), System.Text.Encoding.UTF8.GetBytes(string.Concat(_rows.Select(row => RowFile.Line(row) + "\n"))));
        folder.WriteWhole(TrainerState.FileName, state);
    }

    /// <summary>The job has trained its last step, in this attempt or before it.</summary>
    public void End(JobProgress progress)
    {
        if (_rows.Count == 0)
        {
            folder.Write(_rows, 0, _texts);
            return;
        }

        var examples = progress.Stages.Zip(spec.Stages, (stage, settings) => stage.CompletedSteps * settings.BatchSize).Sum();
        var losses = _rows.Where(row => row.Loss is not null).Select(row => row.Loss!.Value).ToList();
        _rows.Add(StepRows.End(_rows[^1], Now, losses.Count == 0 ? 0 : losses.Average(), examples, Flops));
        folder.Write(_rows, 1, _texts);
        folder.WriteWhole(TrainerState.FileName, State(progress, progress.Stages.Count - 1));
        foreach (var (name, content) in ResultSummaries.Of(_rows))
        {
            folder.WriteWhole(name, content);
        }
    }

    private double Now => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    // As Hugging Face counts them: six for each token and each weight that is no embedding.
    private double Flops => 6.0 * _parameterCount * SeenTokens;

    private byte[] State(JobProgress progress, int index)
    {
        _lastState = time.GetTimestamp();
        var (stage, settings) = (progress.Stages[index], spec.Stages[index]);
        var hasBest = stage.BestValue is not null;
        return TrainerState.Render(
            new TrainerStateFacts
            {
                GlobalStep = progress.CompletedSteps,
                MaxSteps = progress.PlannedSteps,
                Epoch = _rows.Count == 0 ? 0 : _rows[^1].Find("epoch") ?? 0,
                TrainEpochs = (int)Math.Ceiling(settings.Epochs),
                BatchSize = settings.MicroBatchSize,
                SaveSteps = spec.CheckpointEverySteps,
                EvaluationSteps = settings.ValidationEverySteps > 0 ? settings.ValidationEverySteps : null,
                Flops = Flops,
                BestMetric = stage.BestValue,
                BestStep = hasBest ? stage.BestStep : null,
                BestCheckpoint = hasBest && stage.BestCheckpoint.Length > 0 ? stage.BestCheckpoint : null,
            },
            _rows);
    }
}
