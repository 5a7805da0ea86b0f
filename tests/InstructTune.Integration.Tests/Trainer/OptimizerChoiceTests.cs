using InstructTune.V1;
using Types = InstructTune.V1.FineTuneSpec.Types;
using OptimizerType = InstructTune.V1.FineTuneSpec.Types.Optimizer.Types.Type;

namespace InstructTune.Integration.Tests.Trainer;

public sealed class OptimizerChoiceTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    [Theory]
    [InlineData(OptimizerType.Adafactor, 1e-2, 0)]
    [InlineData(OptimizerType.Lion, 1e-3, 0)]
    [InlineData(OptimizerType.Sgd, 0.5, 0.9)]
    [InlineData(OptimizerType.Adamw8Bit, 1e-2, 0.9)]
    public async Task A_job_trains_with_the_optimizer_it_names(OptimizerType type, double rate, double beta1)
    {
        var stage = TrainerFixture.Stage("only", "general", epochs: 3);
        stage.PeakLearningRate = rate;
        stage.Optimizer = new Types.Optimizer { Type = type };
        if (beta1 > 0)
        {
            stage.Optimizer.Beta1 = beta1;
        }

        var spec = trainer.Spec(stage);
        spec.Method = new Types.TrainingMethod { Full = new Types.FullMethod() };
        var (job, events) = await trainer.EndOfAsync((await trainer.CreateAsync(spec)).Name);

        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString());
        Assert.Equal(type, job.Spec.Stages[0].Optimizer.Type);
        var losses = Values(events, "training_loss");
        Assert.True(losses[^1] < losses[0], $"the loss went from {losses[0]} to {losses[^1]}");
    }

    [Fact]
    public async Task The_rate_stays_at_its_peak_until_the_decay_of_a_warmup_stable_decay()
    {
        var stage = TrainerFixture.Stage("only", "general", epochs: 2);
        stage.Schedule = Types.Schedule.WarmupStableDecay;
        stage.WarmupSteps = 2;
        stage.DecayRatio = 0.5;
        stage.Optimizer = new Types.Optimizer { Type = OptimizerType.Lion };
        stage.PeakLearningRate = 0.008;

        var (_, events) = await trainer.EndOfAsync((await trainer.CreateAsync(trainer.Spec(stage))).Name);

        double[] expected = [0, 0.004, 0.008, 0.008, 0.008, 0.008, 0.0064, 0.0048, 0.0032, 0.0016];
        Assert.Equal(expected, Values(events, "learning_rate").Select(rate => Math.Round(rate, 10)));
    }

    [Fact]
    public async Task A_decomposed_adapter_whose_b_learns_faster_is_another_adapter()
    {
        var plain = await AdapterAsync(new Types.LoraMethod { Rank = 4 });
        var faster = await AdapterAsync(new Types.LoraMethod { Rank = 4, BLearningRateRatio = 8 });
        var decomposed = await AdapterAsync(new Types.LoraMethod { Rank = 4, WeightDecomposed = true });

        Assert.Equal(3, new[] { plain, faster, decomposed }.Distinct(StringComparer.Ordinal).Count());
    }

    private async Task<string> AdapterAsync(Types.LoraMethod method)
    {
        var spec = trainer.SmallSpec();
        spec.Method = new Types.TrainingMethod { Lora = method };
        var (job, _) = await trainer.EndOfAsync((await trainer.CreateAsync(spec)).Name);
        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString());
        Assert.Equal(method.WeightDecomposed, job.Spec.Method.Lora.WeightDecomposed);
        return string.Join(' ', await trainer.WeightsOfAsync(job));
    }

    private static double[] Values(IReadOnlyList<JobEvent> events, string metric) =>
        [.. events.Where(e => e.MetricsReported is not null).Select(e => e.MetricsReported.Values[metric])];
}
