using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;

namespace InstructTune.Benchmarks.Training;

/// <summary>What a row took.</summary>
internal sealed record RowFigures(double TokensPerSecond, double Share, double PeakRate, SplitTime<StepPhase> Phases, SplitTime<DriverWork> Work, long PeakBytes)
{
    /// <summary>What products with weights reach of the peak while they run.</summary>
    public required double ProductShare { get; init; }

    /// <summary>What keeps the row from the peak, the greatest first: shares of the time that are not products, and what products lack.</summary>
    public string Limits => string.Join(", ", Lost().Where(part => part.Share >= 0.02).OrderByDescending(part => part.Share).Select(part => $"{part.Name} {part.Share:P0}"));

    private IEnumerable<(string Name, double Share)> Lost()
    {
        yield return ($"products (at {ProductShare:P0} of the peak)", (Work.ShareOf(DriverWork.Products) + Work.ShareOf(DriverWork.Head)) * Math.Max(0, 1 - ProductShare));
        yield return ("attention", Work.ShareOf(DriverWork.Attention));
        yield return ("norms, gates, angles and copies", Work.ShareOf(DriverWork.Rows));
        yield return ("adapters", Work.ShareOf(DriverWork.Adapters));
        yield return ("loss", Work.ShareOf(DriverWork.Loss));
        yield return ("update", Phases.ShareOf(StepPhase.Update));
    }
}

/// <summary>Runs a row: some warm steps, then those that are counted.</summary>
internal static class RowMeasurement
{
    public static RowFigures Of(TrainingRow row)
    {
        NativeHeap.Release();
        var peak = GemmPeak.Measure();
        ProcessMemory.ForgetPeak();
        using var trainee = new BenchmarkTrainee(row.Config, row.Rank);
        using var optimizer = Optimizer.Create(trainee.Weights, new AdamWSettings());
        using var turns = new DeviceTurns();
        var (clock, work) = (new SplitTime<StepPhase>(StepPhase.Other), new SplitTime<DriverWork>(DriverWork.Rows));
        trainee.Working = work.Enter;
        var training = new TrainingStep(trainee, optimizer, maxGradientNorm: 1)
        {
            Entered = phase =>
            {
                clock.Enter(phase);
                work.Pause(phase is StepPhase.Update or StepPhase.Other);
            },
        };
        for (var step = 0; step < row.WarmSteps; step++)
        {
            Step(training, row, step, turns);
        }

        clock.Start();
        work.Start();
        var (steps, tokens) = (0, 0L);
        while (steps < row.Steps || (clock.Total < row.Seconds && row.Batches.Count == 1))
        {
            tokens += Step(training, row, steps++, turns).TokenCount;
        }

        clock.Enter(StepPhase.Other);
        peak = Math.Max(peak, GemmPeak.Measure());
        var rate = tokens / clock.Total;
        work.Pause(isPaused: true);
        var operations = row.Rank == 0 ? 6.0 : 4.0;
        var multiplied = ModelSizes.Linear(row.Config).Sum(weight => weight.Count) + ((long)row.Config.VocabularySize * row.Config.ModelWidth);
        var padded = row.Batches.Sum(batch => (double)batch.Count * batch.Max(example => example.Ids.Length)) / row.Batches.Sum(batch => batch.Sum(example => (double)example.Ids.Length));
        return new RowFigures(rate, operations * trainee.ParameterCount * rate / peak, peak, clock, work, ProcessMemory.PeakBytes)
        {
            ProductShare = operations * multiplied * tokens * padded / (work.Of(DriverWork.Products) + work.Of(DriverWork.Head)) / peak,
        };
    }

    private static StepResult Step(TrainingStep training, TrainingRow row, int step, DeviceTurns turns) =>
        training.Run([row.Batches[step % row.Batches.Count]], 1e-5, new StepSeed(0), () => turns.Enter(CancellationToken.None));
}
