using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>
/// Operators over lists of tensors that TorchSharp does not offer. The text is constant and every function of it is called in tests: a script that
/// does not compile, or a call of a function it lacks, ends the process.
/// </summary>
internal static class TensorListScripts
{
    private const string Text = """
        def fused_adamw(weights: List[Tensor], gradients: List[Tensor], means: List[Tensor], squares: List[Tensor], steps: List[Tensor],
                        rate: float, beta1: float, beta2: float, decay: float, epsilon: float) -> int:
            torch._fused_adamw_(weights, gradients, means, squares, [], steps, lr=rate, beta1=beta1, beta2=beta2, weight_decay=decay,
                                eps=epsilon, amsgrad=False, maximize=False)
            return len(weights)

        def norm(tensors: List[Tensor]) -> Tensor:
            return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(tensors)))

        def scale(tensors: List[Tensor], factor: Tensor) -> int:
            torch._foreach_mul_(tensors, factor)
            return len(tensors)

        """;

    // Compiled where first used; a compilation unit holds no tensors, so any thread may call it.
    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(Text));

    public static void FusedAdamW(Tensor[] weights, Tensor[] gradients, Tensor[] means, Tensor[] squares, Tensor[] steps, AdamWSettings settings, double rate, double decay) =>
        Unit.Value.invoke("fused_adamw", weights, gradients, means, squares, steps, rate, settings.Beta1, settings.Beta2, decay, settings.Epsilon);

    /// <summary>The 2-norm of all elements together, as torch computes it: the norm of the norms. The caller disposes it.</summary>
    public static Tensor Norm(Tensor[] tensors) => (Tensor)Unit.Value.invoke("norm", new object[] { tensors });

    public static void Scale(Tensor[] tensors, Tensor factor) => Unit.Value.invoke("scale", tensors, factor);
}
