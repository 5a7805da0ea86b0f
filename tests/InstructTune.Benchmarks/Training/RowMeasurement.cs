using System.Diagnostics;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;

namespace InstructTune.Benchmarks.Training;

/// <summary>What a row took.</summary>
internal sealed record RowFigures(double TokensPerSecond, double Share, double PeakRate, IReadOnlyDictionary<StepPhase, double> Seconds, long PeakBytes)
{
    public double ShareOf(StepPhase phase) => Seconds.GetValueOrDefault(phase) / Seconds.Values.Sum();
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
        var clock = new PhaseClock();
        var training = new TrainingStep(trainee, optimizer, maxGradientNorm: 1) { Entered = clock.Enter };
        for (var step = 0; step < row.WarmSteps; step++)
        {
            Step(training, row, step, turns);
        }

        clock.Start();
        var (steps, tokens) = (0, 0L);
        while (steps < row.Steps || (clock.Total < row.Seconds && row.Batches.Count == 1))
        {
            tokens += Step(training, row, steps++, turns).TokenCount;
        }

        clock.Enter(StepPhase.Other);
        peak = Math.Max(peak, GemmPeak.Measure());
        var rate = tokens / clock.Total;
        return new RowFigures(rate, (row.Rank == 0 ? 6.0 : 4.0) * trainee.ParameterCount * rate / peak, peak, clock.Seconds, ProcessMemory.PeakBytes);
    }

    private static StepResult Step(TrainingStep training, TrainingRow row, int step, DeviceTurns turns) =>
        training.Run([row.Batches[step % row.Batches.Count]], 1e-5, pass => new StepSeed((ulong)pass), () => turns.Enter(CancellationToken.None));

    private sealed class PhaseClock
    {
        private readonly Dictionary<StepPhase, double> _seconds = [];
        private StepPhase _phase = StepPhase.Other;
        private long _since = Stopwatch.GetTimestamp();

        public IReadOnlyDictionary<StepPhase, double> Seconds => _seconds;

        public double Total => _seconds.Values.Sum();

        public void Start()
        {
            _seconds.Clear();
            _since = Stopwatch.GetTimestamp();
        }

        public void Enter(StepPhase phase)
        {
            var now = Stopwatch.GetTimestamp();
            _seconds[_phase] = _seconds.GetValueOrDefault(_phase) + Stopwatch.GetElapsedTime(_since, now).TotalSeconds;
            (_phase, _since) = (phase, now);
        }
    }
}
