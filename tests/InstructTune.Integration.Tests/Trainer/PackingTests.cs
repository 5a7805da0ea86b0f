using InstructTune.V1;
using Types = InstructTune.V1.FineTuneSpec.Types;

namespace InstructTune.Integration.Tests.Trainer;

public sealed class PackingTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    [Fact]
    public async Task Packed_examples_are_all_trained_on_in_fewer_rows()
    {
        var plain = await RunAsync(_ => { });
        var packed = await RunAsync(stage => stage.Packing = Types.Packing.BlockDiagonal);

        Assert.Equal(plain.Stages[0].TrainedTokens, packed.Stages[0].TrainedTokens);
        Assert.True(packed.Stages[0].PlannedSteps < plain.Stages[0].PlannedSteps, $"{packed.Stages[0].PlannedSteps} steps, {plain.Stages[0].PlannedSteps} unpacked");
        Assert.Equal(Types.Packing.BlockDiagonal, packed.Spec.Stages[0].Packing);
    }

    [Fact]
    public async Task Grouping_by_length_changes_the_order_and_nothing_else()
    {
        var plain = await RunAsync(_ => { });
        var grouped = await RunAsync(stage => stage.GroupByLength = true);

        Assert.Equal(plain.Stages[0].TrainedTokens, grouped.Stages[0].TrainedTokens);
        Assert.Equal(plain.Stages[0].PlannedSteps, grouped.Stages[0].PlannedSteps);
        Assert.NotEqual(await trainer.WeightsOfAsync(plain), await trainer.WeightsOfAsync(grouped));
    }

    [Fact]
    public async Task Grouping_packed_rows_is_refused_by_name()
    {
        var stage = TrainerFixture.Stage("only", "general");
        (stage.Packing, stage.GroupByLength) = (Types.Packing.BlockDiagonal, true);
        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(trainer.Spec(stage)));
        Assert.Equal("fine_tune_job.spec.stages[0].group_by_length", Assert.Single(failure.Violations).Field);
    }

    private async Task<FineTuneJob> RunAsync(Action<Types.Stage> change)
    {
        var stage = TrainerFixture.Stage("only", "general", maxSequenceTokens: TinyBase.ContextTokens);
        change(stage);
        var (job, _) = await trainer.EndOfAsync((await trainer.CreateAsync(trainer.Spec(stage))).Name);
        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString());
        return job;
    }
}
