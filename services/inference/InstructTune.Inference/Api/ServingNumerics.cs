using InstructTune.Inference.Models;
using InstructTune.Kernels;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Inference.Api;

/// <summary>What answers depend on besides requests. Asking libtorch would load it, so where our kernels compute nobody does.</summary>
internal sealed class ServingNumerics(Team team)
{
    public IReadOnlyDictionary<string, string> FactsOf(WeightForm form) =>
        form == WeightForm.Graphics ? OfTorch(ComputeDevice.Graphics, form, isDeterministic: false)
        : form.UsesLibtorch ? OfTorch(ComputeDevice.Processor, form, BlockIndependence.Holds)
        : NumericsFingerprint.OfKernels(form.Name, team.Size);

    /// <summary>Our kernels treat each row alone; of libtorch that is seen on the processor at hand, and not promised elsewhere.</summary>
    private static Dictionary<string, string> OfTorch(string device, WeightForm form, bool isDeterministic) =>
        new(NumericsFingerprint.OfServing(device, form.Numbers), StringComparer.Ordinal) { ["deterministic"] = isDeterministic ? "true" : "false" };
}
