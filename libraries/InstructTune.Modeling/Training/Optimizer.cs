using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>
/// Turns gradients into updates of weights, and owns the state this takes. The weights stay the caller's. One thread owns it.
/// </summary>
public abstract class Optimizer : IDisposable
{
    private readonly OptimizerSettings _settings;

    private protected Optimizer(OptimizerSettings settings) => _settings = settings;

    /// <summary>Updates done.</summary>
    public long StepCount { get; private set; }

    /// <summary>A fresh state for the weights, which must be leaves that require gradients.</summary>
    /// <param name="weights">What is trained.</param>
    /// <param name="settings">The rule.</param>
    /// <param name="rateFactor">Times the rate of a step, the rate of the weight of this name; null for 1 everywhere.</param>
    /// <param name="rounding">Whether the weights are kept on the bfloat16 grid; they are rounded to it at once.</param>
    /// <param name="roundingSeed">Of stochastic rounding.</param>
    public static Optimizer Create(
        IReadOnlyList<NamedTensor> weights, OptimizerSettings settings, Func<string, double>? rateFactor = null,
        WeightRounding rounding = WeightRounding.None, StepSeed roundingSeed = default)
    {
        using var noGrad = no_grad();
        TrainedWeight[] trained = [.. weights.Select(weight => new TrainedWeight(weight.Name, weight.Value, rateFactor?.Invoke(weight.Name) ?? 1))];
        return rounding switch
        {
            WeightRounding.Masters => new MasterWeights(trained, settings),
            WeightRounding.Stochastic => new RoundedWeights(trained, settings, roundingSeed),
            _ => Create(trained, settings),
        };
    }

    private protected static Optimizer Create(IReadOnlyList<TrainedWeight> trained, OptimizerSettings settings) =>
        settings switch
        {
            AdamWSettings adamW => new AdamW(trained, adamW),
            AdamW8BitSettings adamW8Bit => new AdamW8Bit(trained, adamW8Bit),
            AdafactorSettings adafactor => new Adafactor(trained, adafactor),
            LionSettings lion => new Lion(trained, lion),
            SgdSettings sgd => new Sgd(trained, sgd),
            _ => throw new ArgumentException($"no optimizer takes {settings.GetType().Name}", nameof(settings)),
        };

    /// <summary>Whether a parameter of this name decays: all but biases and norms do, embeddings and adapters too.</summary>
    public static bool Decays(string name) =>
        !name.Contains("bias", StringComparison.Ordinal) && !name.Contains("norm", StringComparison.Ordinal);

    /// <summary>One update at this rate from the gradients the weights hold; a weight without one stays, and so does its state.</summary>
    public void Step(double rate)
    {
        StepCount++;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Update(rate);
    }

    /// <summary>
    /// The state, named after the weight with torch's names as suffixes, such as <c>NAME.exp_avg</c>. The tensors stay this object's.
    /// </summary>
    public abstract IReadOnlyList<NamedTensor> Moments();

    /// <summary>Takes over a state of <see cref="Moments"/>, copied, and the number of updates behind it.</summary>
    /// <exception cref="InvalidOperationException">A tensor is missing or has another shape; the message names it.</exception>
    public void Restore(IReadOnlyDictionary<string, Tensor> moments, long stepCount)
    {
        using var noGrad = no_grad();
        foreach (var moment in Moments())
        {
            if (!moments.TryGetValue(moment.Name, out var saved) || !saved.shape.AsSpan().SequenceEqual(moment.Value.shape))
            {
                throw new InvalidOperationException($"the saved optimizer state has no tensor {moment.Name} of shape [{string.Join(", ", moment.Value.shape)}]");
            }

            moment.Value.copy_(saved);
        }

        Count(stepCount);
    }

    /// <summary>Takes over the number of updates alone.</summary>
    internal void Count(long stepCount)
    {
        StepCount = stepCount;
        Restored(stepCount);
    }

    private protected virtual void Restored(long stepCount)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var moment in Moments())
        {
            moment.Value.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    private protected abstract void Update(double rate);

    private protected double DecayOf(TrainedWeight weight) => Decays(weight.Name) ? _settings.WeightDecay : 0;

    private protected static Tensor Zeros(Tensor like) => zeros_like(like).DetachFromDisposeScope();
}

/// <summary>A weight under an optimizer.</summary>
/// <param name="Name">Its name in files.</param>
/// <param name="Value">The leaf.</param>
/// <param name="RateFactor">Of the rate of a step.</param>
internal sealed record TrainedWeight(string Name, Tensor Value, double RateFactor);
