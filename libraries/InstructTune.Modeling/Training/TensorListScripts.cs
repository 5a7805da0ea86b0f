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
                        numbers: Tensor) -> int:
            torch._fused_adamw_(weights, gradients, means, squares, [], steps, lr=float(numbers[0]), beta1=float(numbers[1]),
                                beta2=float(numbers[2]), weight_decay=float(numbers[3]), eps=float(numbers[4]), amsgrad=False, maximize=False)
            return len(weights)

        def norm(tensors: List[Tensor]) -> Tensor:
            return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(tensors)))

        def scale(tensors: List[Tensor], factor: Tensor) -> int:
            torch._foreach_mul_(tensors, factor)
            return len(tensors)

        """;

    // Compiled where first used; a compilation unit holds no tensors, so any thread may call it.
    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(Text));

    public static void FusedAdamW(Tensor[] weights, Tensor[] gradients, Tensor[] means, Tensor[] squares, Tensor[] steps, AdamWSettings settings, double rate, double decay)
    {
        // As one tensor, which lives until the call is over: numbers may be collected while they are read, see LivingScalar.
        using var numbers = tensor(new[] { rate, settings.Beta1, settings.Beta2, decay, settings.Epsilon }, ScalarType.Float64);
        Unit.Value.invoke("fused_adamw", weights, gradients, means, squares, steps, numbers);
    }

    /// <summary>The 2-norm of all elements together, as torch computes it: the norm of the norms. The caller disposes it.</summary>
    public static Tensor Norm(Tensor[] tensors) => (Tensor)Unit.Value.invoke("norm", new object[] { tensors });

    public static void Scale(Tensor[] tensors, Tensor factor) => Unit.Value.invoke("scale", tensors, factor);
}
