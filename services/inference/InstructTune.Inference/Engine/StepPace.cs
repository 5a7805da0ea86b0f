namespace InstructTune.Inference.Engine;

/// <summary>
/// How many rows of prompts a base computes in a time, as measured. Steps without a whole block say nothing about it: they wait for weights to be read,
/// however few rows they have.
/// </summary>
internal sealed class StepPace
{
    private const double NewestWeight = 0.25;

    private double _secondsPerRow;

    public void Record(int rows, double seconds)
    {
        if (rows >= Sequence.ChunkTokens)
        {
            var newest = seconds / rows;
            _secondsPerRow = _secondsPerRow > 0 ? (_secondsPerRow * (1 - NewestWeight)) + (newest * NewestWeight) : newest;
        }
    }

    /// <summary>Without bound before anything was measured.</summary>
    public int RowsIn(double seconds) => _secondsPerRow > 0 ? (int)Math.Min(int.MaxValue, seconds / _secondsPerRow) : int.MaxValue;
}
