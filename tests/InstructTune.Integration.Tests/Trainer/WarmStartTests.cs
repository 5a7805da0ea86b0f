using InstructTune.V1;
using FineTuneSpec = InstructTune.V1.FineTuneSpec;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;
using Transition = InstructTune.V1.FineTuneSpec.Types.StageTransition;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>New jobs that go on from a checkpoint of another job.</summary>
public sealed class WarmStartTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_job_that_continues_from_a_checkpoint_gives_what_a_second_stage_would(bool isFull, bool carries)
    {
        var both = TwoStages(isFull);
        both.Stages[1].CarryOptimizerState = carries;
        var (whole, _) = await trainer.RunAsync(both);
        var second = From(both, whole.Name + "/checkpoints/a1-s5");
        var (continued, events) = await trainer.RunAsync(second);

        Assert.Equal(second.BaseModel, continued.Spec.BaseModel);
        Assert.Equal(isFull ? Transition.Unspecified : Transition.Continue, continued.Spec.Stages[0].Transition);
        Assert.Equal(3, events.Count(entry => entry.MetricsReported is not null));
        Assert.Equal(await trainer.WeightsOfAsync(whole), await trainer.WeightsOfAsync(continued));
        Assert.Equal(trainer.VersionOf(whole).BaseModelVersion, trainer.VersionOf(continued).BaseModelVersion);
    }

    [Fact]
    public async Task Carried_moments_change_the_result_and_survive_a_cancelled_job()
    {
        var spec = TwoStages(isFull: false);
        spec.Stages[1].Epochs = 4;
        var (fresh, _) = await trainer.RunAsync(spec);
        spec.Stages[1].CarryOptimizerState = true;
        var (carried, _) = await trainer.RunAsync(spec);
        var name = (await trainer.CreateAsync(spec)).Name;
        await trainer.WatchUntilAsync(name, entry => entry.MetricsReported is { Step: >= 7 });
        await trainer.Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (_, history) = await trainer.EndOfAsync(name);
        await trainer.Jobs.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (resumed, _) = await trainer.EndOfAsync(name, history[^1].Sequence);

        Assert.NotEqual(await trainer.WeightsOfAsync(fresh), await trainer.WeightsOfAsync(carried));
        Assert.Equal(trainer.VersionOf(carried).ManifestSha256, trainer.VersionOf(resumed).ManifestSha256);
    }

    [Fact]
    public async Task The_new_job_does_not_need_the_old_one()
    {
        var both = TwoStages(isFull: true);
        var (whole, _) = await trainer.RunAsync(both);
        var created = await trainer.CreateAsync(From(both, whole.Name + "/checkpoints/a1-s5"));
        await trainer.Jobs.DeleteFineTuneJobAsync(new DeleteFineTuneJobRequest { Name = whole.Name }, cancellationToken: Token);
        var (continued, _) = await trainer.EndOfAsync(created.Name);
        Assert.True(continued.Job.State == JobState.Succeeded, continued.Job.Error?.ToString());
        Assert.Equal(await trainer.WeightsOfAsync(whole), await trainer.WeightsOfAsync(continued));
    }

    [Fact]
    public async Task An_adapter_over_weights_that_a_job_made_names_them_as_its_base()
    {
        var both = TwoStages(isFull: false);
        (both.Stages[1].Method, both.Stages[1].Transition) = (new TrainingMethod { Lora = new() { Rank = 2 } }, Transition.MergeThenNew);
        var (merged, _) = await trainer.RunAsync(both);
        var third = From(both, merged.Name + "/checkpoints/a1-s8");
        (third.Method, third.Stages[0].Method, third.Stages[0].Transition) = (new TrainingMethod { Lora = new() { Rank = 2 } }, null, Transition.Unspecified);
        var (continued, _) = await trainer.RunAsync(third);

        Assert.Equal(Transition.Continue, continued.Spec.Stages[0].Transition);
        Assert.StartsWith("models/merged-", trainer.VersionOf(continued).BaseModelVersion, StringComparison.Ordinal);
        Assert.Equal(trainer.VersionOf(merged).BaseModelVersion, trainer.VersionOf(continued).BaseModelVersion);
    }

    [Fact]
    public async Task An_adapter_over_all_weights_of_a_checkpoint_gets_them_as_a_version()
    {
        var both = TwoStages(isFull: true);
        var (whole, _) = await trainer.RunAsync(both);
        var second = From(both, whole.Name + "/checkpoints/a1-s5");
        second.Method = new TrainingMethod { Lora = new() { Rank = 2 } };
        var (adapter, _) = await trainer.RunAsync(second);
        var parts = trainer.VersionOf(adapter).BaseModelVersion.Split('/');
        Assert.StartsWith("merged-", parts[1], StringComparison.Ordinal);
        Assert.NotEqual(trainer.VersionOf(whole).ManifestSha256, trainer.Registry.Find(parts[1], parts[3])!.ManifestSha256);
    }

    [Fact]
    public async Task A_stacked_checkpoint_is_gone_on_with_above_the_adapters_under_it()
    {
        var both = TwoStages(isFull: false);
        (both.Stages[1].Method, both.Stages[1].Transition) = (new TrainingMethod { Lora = new() { Rank = 2 } }, Transition.Stack);
        var (stacked, _) = await trainer.RunAsync(both);
        var third = From(both, stacked.Name + "/checkpoints/a1-s8");
        (third.Method, third.Stages[0].Method, third.Stages[0].Transition) = (new TrainingMethod { Lora = new() { Rank = 2 } }, null, Transition.Unspecified);
        var (continued, _) = await trainer.RunAsync(third);
        Assert.Equal((trainer.Base, 6), (trainer.VersionOf(continued).BaseModelVersion, trainer.VersionOf(continued).Adapter!.Rank));
    }

    [Fact]
    public async Task A_checkpoint_that_is_not_there_is_not_found()
    {
        var both = TwoStages(isFull: false);
        var (whole, _) = await trainer.RunAsync(both);
        Assert.Equal(ErrorReason.ResourceNotFound, (await TrainerFixture.FailureAsync(() => trainer.CreateAsync(From(both, whole.Name + "/checkpoints/a1-s4")))).Reason);
        Assert.Equal(ErrorReason.ResourceNotFound, (await TrainerFixture.FailureAsync(() => trainer.CreateAsync(From(both, "fineTuneJobs/none/checkpoints/a1-s5")))).Reason);
    }

    [Fact]
    public async Task Moments_cannot_be_carried_from_a_model_version()
    {
        var spec = trainer.SmallSpec();
        spec.Stages[0].CarryOptimizerState = true;
        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(spec));
        Assert.Equal("fine_tune_job.spec.stages[0].carry_optimizer_state", Assert.Single(failure.Violations).Field);
    }

    private FineTuneSpec TwoStages(bool isFull)
    {
        var spec = trainer.Spec(TrainerFixture.Stage("generalist", "general"), TrainerFixture.Stage("specialist", "special"));
        spec.Method = isFull ? new TrainingMethod { Full = new() } : new TrainingMethod { Lora = new() { Rank = 4, Dropout = 0.1 } };
        return spec;
    }

    private static FineTuneSpec From(FineTuneSpec spec, string checkpoint)
    {
        var second = spec.Clone();
        second.Stages.RemoveAt(0);
        second.BaseModel = checkpoint;
        return second;
    }
}
