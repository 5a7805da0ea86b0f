using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Engine;

/// <summary>
/// How long the step that runs has run. It is stuck when that is longer than <c>Inference:StepTimeout</c> and longer than many steps of the
/// length that they have here: where a trainer has the device in between, or a large model a slow one, long steps are no fault.
/// </summary>
internal sealed class StepAge(EngineLoop engine, IOptions<InferenceOptions> options, TimeProvider time)
{
    private const int UsualSteps = 20;

    /// <summary>Older steps are stuck.</summary>
    public TimeSpan Limit
    {
        get
        {
            var usual = engine.Counters.UsualStep * UsualSteps;
            return usual > options.Value.StepTimeout ? usual : options.Value.StepTimeout;
        }
    }

    public bool IsStuck() => IsStuck(TimeSpan.Zero);

    /// <param name="patience">How long it must have been stuck already.</param>
    public bool IsStuck(TimeSpan patience) =>
        engine.Counters.StepBegan is var began and not 0 && time.GetElapsedTime(began) > Limit + patience;
}
