using InstructTune.Modeling.Adapters;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using LoraMethod = InstructTune.V1.FineTuneSpec.Types.LoraMethod;
using Stage = InstructTune.V1.FineTuneSpec.Types.Stage;
using StageTransition = InstructTune.V1.FineTuneSpec.Types.StageTransition;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>What becomes of an adapter between two stages, and where a job starts from the result of another.</summary>
public sealed class StageTransitionTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    [Fact]
    public async Task A_merged_adapter_becomes_a_base_that_jobs_share()
    {
        var (job, _) = await trainer.RunAsync(Spec(StageTransition.MergeThenNew));
        var (again, _) = await trainer.RunAsync(Spec(StageTransition.MergeThenNew));

        var version = trainer.VersionOf(job);
        Assert.NotEqual(trainer.Base, version.BaseModelVersion);
        Assert.Equal(version.BaseModelVersion, trainer.VersionOf(again).BaseModelVersion);
        var parts = version.BaseModelVersion.Split('/');
        var merged = trainer.Registry.Find(parts[1], parts[3])!;
        Assert.Equal((ModelKind.FullWeights, 1), (merged.Kind, merged.Version));
        using var model = await trainer.LoadAsync(version.BaseModelVersion);
        using var adapter = PeftAdapter.Read(await trainer.PathOfAsync(job.ModelVersion), model.Config);
        Assert.Equal((2, version.BaseModelVersion), (adapter.Config.Rank, adapter.Config.BaseModelName));
    }

    [Fact]
    public async Task A_stacked_adapter_holds_both_and_computes_what_the_merged_one_does()
    {
        var (merging, _) = await trainer.RunAsync(Spec(StageTransition.MergeThenNew));
        var (stacking, _) = await trainer.RunAsync(Spec(StageTransition.Stack));

        var (merged, stacked) = (trainer.VersionOf(merging), trainer.VersionOf(stacking));
        Assert.Equal((trainer.Base, 6), (stacked.BaseModelVersion, stacked.Adapter!.Rank));
        using var below = await trainer.LoadAsync(merged.BaseModelVersion);
        using var above = PeftAdapter.Read(await trainer.PathOfAsync(merging.ModelVersion), below.Config);
        using var tiny = await trainer.LoadAsync(trainer.Base);
        using var both = PeftAdapter.Read(await trainer.PathOfAsync(stacking.ModelVersion), tiny.Config);
        TrainedModels.AssertEqual((below, above), (tiny, both));
    }

    [Theory]
    [InlineData(StageTransition.MergeThenNew)]
    [InlineData(StageTransition.Stack)]
    public async Task A_job_cancelled_on_a_new_adapter_goes_on_with_the_bits_of_an_undisturbed_one(StageTransition transition)
    {
        var (undisturbed, _) = await trainer.RunAsync(Spec(transition));
        var resumed = await trainer.CancelAndResumeAsync(Spec(transition), steps: 6);
        Assert.Equal(trainer.VersionOf(undisturbed).ManifestSha256, trainer.VersionOf(resumed).ManifestSha256);
        Assert.Equal(trainer.VersionOf(undisturbed).BaseModelVersion, trainer.VersionOf(resumed).BaseModelVersion);
    }

    [Fact]
    public async Task All_weights_then_an_adapter_then_all_weights_gives_a_whole_model()
    {
        var full = new TrainingMethod { Full = new FineTuneSpec.Types.FullMethod() };
        Stage[] stages = [TrainerFixture.Stage("one", "special"), TrainerFixture.Stage("two", "special"), TrainerFixture.Stage("three", "special")];
        stages[1].Method = Lora(2);
        var spec = trainer.Spec(stages);
        spec.Method = full;
        var (job, _) = await trainer.RunAsync(spec);

        Assert.Equal([StageTransition.Unspecified, StageTransition.MergeThenNew, StageTransition.MergeThenNew], job.Spec.Stages.Select(stage => stage.Transition));
        using var model = await trainer.LoadAsync(job.ModelVersion);
        Assert.Equal(ModelKind.FullWeights, trainer.VersionOf(job).Kind);
    }

    [Fact]
    public async Task A_job_that_continues_from_a_result_gives_what_a_second_stage_would()
    {
        Stage[] stages = [TrainerFixture.Stage("generalist", "general"), TrainerFixture.Stage("specialist", "special")];
        var both = trainer.Spec([.. stages]);
        both.Method = Lora(4);
        var (whole, _) = await trainer.RunAsync(both);

        var first = both.Clone();
        first.Stages.RemoveAt(1);
        var (generalist, _) = await trainer.RunAsync(first);
        var second = both.Clone();
        second.Stages.RemoveAt(0);
        second.BaseModel = generalist.ModelVersion;
        second.Method.Lora.Rank = 0;
        var (specialist, _) = await trainer.RunAsync(second);

        Assert.Equal(StageTransition.Continue, specialist.Spec.Stages[0].Transition);
        Assert.Equal(4, specialist.Spec.Method.Lora.Rank);
        Assert.Equal(await trainer.WeightsOfAsync(whole), await trainer.WeightsOfAsync(specialist));
        Assert.Equal(trainer.Base, trainer.VersionOf(specialist).BaseModelVersion);
    }

    [Fact]
    public async Task A_transition_that_cannot_be_is_refused_by_field()
    {
        var spec = Spec(StageTransition.Continue);
        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(spec));
        Assert.Equal(ErrorReason.FieldInvalid, failure.Reason);
        Assert.Contains("other parameters", failure.Message, StringComparison.Ordinal);
    }

    // An adapter of rank 4, then one of rank 2.
    private FineTuneSpec Spec(StageTransition transition)
    {
        var specialist = TrainerFixture.Stage("specialist", "special");
        (specialist.Method, specialist.Transition) = (Lora(2), transition);
        var spec = trainer.Spec(TrainerFixture.Stage("generalist", "general"), specialist);
        spec.Method = Lora(4);
        return spec;
    }

    private static TrainingMethod Lora(int rank) => new() { Lora = new LoraMethod { Rank = rank, Dropout = 0.1 } };
}
