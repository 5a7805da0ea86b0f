using InstructTune.Inference;

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

    [Fact]
    public void A_format_that_does_not_exist_is_refused_with_those_that_do() => Assert.Contains(
        "must be one of torch, float32, bfloat16, int8, int4, gguf, cuda; it is int3.",
        Assert.Single(Validate(new InferenceOptions { WeightFormat = "int3" }).Failures!),
        StringComparison.Ordinal);

    [Theory]
    [InlineData(0, true)]
    [InlineData(0.5, false)]
    [InlineData(-1, false)]
    [InlineData(1, true)]
    public void Idle_models_stay_for_ever_or_for_a_second_at_least(double seconds, bool isValid) =>
        Assert.Equal(isValid, Validate(new InferenceOptions { KeepIdle = TimeSpan.FromSeconds(seconds) }).Succeeded);

    private static Microsoft.Extensions.Options.ValidateOptionsResult Validate(InferenceOptions options) =>
        new InferenceOptionsValidator().Validate(name: null, options);
}
