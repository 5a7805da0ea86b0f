using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Estimation;

/// <summary>Counts what the steps of a stage take beside their work, so that later jobs of the kind can be told how long they take.</summary>
internal sealed class StageClock(MeasuredSpeeds speeds, StageMemory memory, FineTuneSpec spec, StageSpec stage, bool recomputes)
{
    private const int LeastSteps = 2;

    private readonly StageWork _work = new(memory, recomputes, StageWork.Reference);
    private int _steps;
    private double _seconds;
    private double _referenceSeconds;

    public void Count(IReadOnlyList<IReadOnlyList<TokenizedExample>> passes, TimeSpan elapsed)
    {
        // The first step of an attempt pays for compilation and memory.
        if (_steps++ > 0)
        {
            _seconds += elapsed.TotalSeconds;
            _referenceSeconds += _work.SecondsOf(passes);
        }
    }

    public void Save()
    {
        if (_steps <= LeastSteps)
        {
            return;
        }

        try
        {
            speeds.Record(StageWork.KindOf(spec, stage, memory.Config, recomputes), _seconds, _referenceSeconds);
        }
        catch (IOException)
        {
            // A full disk costs an estimate, not the job.
        }
    }
}
