using InstructTune.Benchmarks;
using InstructTune.Modeling.Llama;

namespace InstructTune.LoadFigures;

/// <summary>The shapes whose loading is measured.</summary>
internal static class Shapes
{
    /// <summary>In float32 the larger takes 27 GB: it is loaded in the type of its files.</summary>
    public static IReadOnlyList<(string Name, LlamaConfig Config, bool IsSparse, BaseFormat[] Formats)> All { get; } =
    [
        ("1.1B (the shape of TinyLlama)", KnownShapes.TinyLlama, false, [BaseFormat.Fp32, BaseFormat.Bf16]),
        ("7B (the shape of LLaMA 2)", KnownShapes.Llama2Of7B, true, [BaseFormat.Bf16]),
    ];
}
