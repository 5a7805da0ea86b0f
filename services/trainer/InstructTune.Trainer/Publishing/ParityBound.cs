using System.Globalization;
using InstructTune.Modeling.Gguf;

namespace InstructTune.Trainer.Publishing;

/// <summary>What an export may differ by from the model it was made of. Pure.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="RelativeError">At most; 0 for equal bits.</param>
/// <param name="MeanDivergence">At most.</param>
internal sealed record ParityBound(string Name, double RelativeError, double MeanDivergence)
{
    /// <summary>Weights in float32, or as they are stored.</summary>
    public static readonly ParityBound Exact = new("equal logits", 0, 0);

    /// <summary>An adapter in the weights beside the adapter on top of them: other roundings of the same sum.</summary>
    public static readonly ParityBound Merge = new("a merge", 1e-3, 1e-4);

    /// <summary>Eleven bits of each weight.</summary>
    public static readonly ParityBound Half = new("float16", 1e-2, 1e-3);

    /// <summary>Eight bits of each weight, a scale for 32.</summary>
    public static readonly ParityBound EightBits = new("Q8_0", 1e-1, 2e-2);

    /// <summary>Scales of an adapter multiplied into its tensors, in float32.</summary>
    public static readonly ParityBound Scaled = new("float32", 1e-4, 1e-6);

    public static ParityBound OfAdapter(GgufTensorType type) => type == GgufTensorType.F32 ? Scaled : Half;

    public static ParityBound Of(GgufTensorType type) => type switch
    {
        GgufTensorType.F32 => Exact,
        GgufTensorType.F16 => Half,
        _ => EightBits,
    };

    /// <exception cref="ExportDisagreesException">The figures are beyond the bound.</exception>
    public void Require(ParityFigures figures, string export)
    {
        if (!(figures.RelativeError <= RelativeError && figures.MeanDivergence <= MeanDivergence && double.IsFinite(figures.MaxLogitDifference)))
        {
            throw new ExportDisagreesException(string.Create(
                CultureInfo.InvariantCulture,
                $"The export {export}, read back, does not agree with the model: relative error of the logits {figures.RelativeError:0.0e+0} (at most {RelativeError:0.0e+0} for {Name}), "
                    + $"divergence {figures.MeanDivergence:0.0e+0} nats (at most {MeanDivergence:0.0e+0}), largest difference {figures.MaxLogitDifference:0.0e+0}. It was not published."));
        }
    }
}

/// <summary>An export is not the model that it was made of.</summary>
internal sealed class ExportDisagreesException : Exception
{
    public ExportDisagreesException()
    {
    }

    public ExportDisagreesException(string message)
        : base(message)
    {
    }

    public ExportDisagreesException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
