using InstructTune.Kernels;
using InstructTune.Modeling.Numerics;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Api;

/// <summary>What answers depend on besides requests. Asking libtorch would load it, so where our kernels compute nobody does.</summary>
internal sealed class ServingNumerics(IOptions<InferenceOptions> options, Team team)
{
    public IReadOnlyDictionary<string, string> Facts => options.Value.KernelFormat is null
        ? NumericsFingerprint.Current()
        : NumericsFingerprint.OfKernels(options.Value.WeightFormat.ToLowerInvariant(), team.Size);
}
