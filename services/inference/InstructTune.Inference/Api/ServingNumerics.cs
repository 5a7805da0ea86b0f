using InstructTune.Inference.Models;
using InstructTune.Kernels;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Inference.Api;

/// <summary>What answers depend on besides requests. Asking libtorch would load it, so where our kernels compute nobody does.</summary>
internal sealed class ServingNumerics(Team team)
{
    public IReadOnlyDictionary<string, string> FactsOf(WeightForm form) =>
        form == WeightForm.Torch ? NumericsFingerprint.Current() : NumericsFingerprint.OfKernels(form.Name, team.Size);
}
