using System.Globalization;
using InstructTune.Modeling.Llama;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>No step of training or serving leaves a tensor behind. <c>eng/run leak-test</c> runs 10,000 steps of each.</summary>
[Trait("Category", "Leak")]
public sealed class LeakTests
{
    private static readonly int s_steps = int.Parse(Environment.GetEnvironmentVariable("INSTRUCTTUNE_LEAK_STEPS") ?? "60", CultureInfo.InvariantCulture);

    [Fact]
    public void Full_training_keeps_no_tensor() => LeakRuns.Full(s_steps);

    [Fact]
    public void Lora_training_keeps_no_tensor() => LeakRuns.Lora(s_steps, BaseFormat.Fp32, useDora: false);

    [Fact]
    public void Dora_training_keeps_no_tensor() => LeakRuns.Lora(s_steps, BaseFormat.Fp32, useDora: true);

    [Fact]
    public void Training_over_four_bits_keeps_no_tensor() => LeakRuns.Lora(s_steps, BaseFormat.Nf4, useDora: false);

    [Fact]
    public void Training_over_bfloat16_keeps_no_tensor() => LeakRuns.Lora(s_steps, BaseFormat.Bf16, useDora: false);

    [Fact]
    public void Serving_with_adapters_keeps_no_tensor() => LeakRuns.Serving(s_steps);
}
