using InstructTune.Inference;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Unit.Tests.Inference;

public sealed class InferenceOptionsTests
{
    [Fact]
    public void The_defaults_work() => Assert.True(Validate(new InferenceOptions()).Succeeded);

    [Fact]
    public void A_step_without_room_for_a_prompt_is_refused_with_both_values()
    {
        var result = Validate(new InferenceOptions { StepTokens = 100, MaxRunning = 64 });

        Assert.Contains("Inference:StepTokens must be at least Inference:MaxRunning + 64; they are 100 and 64.", result.Failures!);
    }

    [Fact]
    public void All_problems_are_named_at_once()
    {
        var result = Validate(new InferenceOptions
        {
            MaxRunning = 0, MaxWaiting = 0, MaxWaitingTokens = 0, CacheBytes = 0, ModelBytes = 0,
            RegistryTimeout = TimeSpan.Zero, StepTimeout = TimeSpan.Zero,
        });

        Assert.Equal(7, result.Failures!.Count());
    }

    [Theory]
    [InlineData("cuda", "finds no GPU: build with -p:TorchBackend=cuda")]
    [InlineData("int3", "must be one of torch, float32, bfloat16, int8, int4, gguf, cuda; it is int3.")]
    public void A_format_that_cannot_be_served_here_is_refused_at_the_start(string format, string problem)
    {
        Assert.SkipWhen(format == ComputeDevice.Graphics && ComputeDevice.HasGraphics, "this machine has a GPU");

        Assert.Contains(problem, Assert.Single(Validate(new InferenceOptions { WeightFormat = format }).Failures!), StringComparison.Ordinal);
    }

    private static Microsoft.Extensions.Options.ValidateOptionsResult Validate(InferenceOptions options) =>
        new InferenceOptionsValidator().Validate(name: null, options);
}
