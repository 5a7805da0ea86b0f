using InstructTune.Inference.Models;
using InstructTune.Kernels;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Inference.Api;

/// <summary>What answers depend on besides requests. Asking libtorch would load it, so where our kernels compute nobody does.</summary>
internal sealed class ServingNumerics(Team team)
{
    public IReadOnlyDictionary<string, string> FactsOf(WeightForm form) =>
        form == WeightForm.Torch ? OfTorch() : NumericsFingerprint.OfKernels(form.Name, team.Size);

    /// <summary>Our kernels treat each row alone; of libtorch that is seen on the processor at hand.</summary>
    private static Dictionary<string, string> OfTorch() => new(NumericsFingerprint.Current(), StringComparer.Ordinal)
    {
        ["deterministic"] = BlockIndependence.Holds ? "true" : "false",
    };
}
