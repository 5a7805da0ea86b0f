using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>Jobs before they run: what they would take, and what cannot fit.</summary>
public sealed class EstimateTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private const string Rpc = "FineTuneService/CreateFineTuneJob";

    [Fact]
    public async Task A_job_is_completed_and_estimated_and_not_queued()
    {
        var spec = trainer.Spec(TrainerFixture.Stage("one", "general", epochs: 2), TrainerFixture.Stage("two", "special"));
        var job = await EstimateAsync(trainer.Jobs, spec);

        Assert.Empty(job.Name);
        Assert.All(job.Spec.Stages, stage => Assert.Contains("/versions/", stage.Dataset, StringComparison.Ordinal));
        Assert.True(job.Estimate.Fits);
        Assert.Equal((10 + 3, 10 + 3), (job.Estimate.PlannedSteps, job.Estimate.Stages.Sum(stage => stage.PlannedSteps)));
        Assert.True(job.Estimate.Duration.ToTimeSpan() > TimeSpan.Zero);
        Assert.InRange(job.Estimate.PeakDeviceBytes, job.Estimate.Stages[0].WeightBytes + job.Estimate.Stages[0].ActivationBytes, job.Estimate.AvailableDeviceBytes);
        Assert.True(job.Estimate.DiskBytes > 0);
        var failure = await TrainerFixture.FailureAsync(
            async () => await trainer.Jobs.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = "fineTuneJobs/only-estimated" }));
        Assert.Equal(ErrorReason.ResourceNotFound, failure.Reason);

        // The job itself plans and trains what was said.
        var (done, _) = await trainer.RunAsync(spec);
        Assert.Equal(job.SpecSha256, done.SpecSha256);
        Assert.Equal(job.Estimate.Stages.Select(stage => stage.PlannedSteps), done.Stages.Select(stage => stage.PlannedSteps));
        Assert.Equal(job.Estimate.Stages.Select(stage => stage.TrainedTokens), done.Stages.Select(stage => stage.TrainedTokens));
    }

    [Fact]
    public async Task Samples_show_what_the_loss_sees()
    {
        var job = await EstimateAsync(trainer.Jobs, trainer.Spec(TrainerFixture.Stage("one", "special")));
        var sample = job.Estimate.Stages[0].Samples[0];
        Assert.Equal(sample.TokenIds.Count, sample.Trained.Count);
        Assert.Equal(sample.TokenIds.Count, sample.TokenBytes.Count);
        Assert.Contains("Below is an instruction", Text(sample, _ => true), StringComparison.Ordinal);
        Assert.StartsWith("0", Text(sample, index => sample.Trained[index]), StringComparison.Ordinal);
    }

    [Fact]
    [Covers(Rpc, "DATA_INVALID")]
    public async Task Data_without_a_token_to_train_on_is_found_before_the_job_runs()
    {
        var failure = await TrainerFixture.FailureAsync(
            () => EstimateAsync(trainer.Jobs, trainer.Spec(TrainerFixture.Stage("long", "long-answers", maxSequenceTokens: 64))));
        Assert.Equal((ErrorReason.DataInvalid, "long"), (failure.Reason, failure.Metadata["stage"]));
    }

    [Fact]
    public async Task Validation_data_that_nothing_can_be_asked_of_is_found_before_the_job_runs()
    {
        var stage = TrainerFixture.Stage("asked", "special");
        stage.ValidationDatasets.Add("datasets/texts");
        stage.ValidationMetrics.Add("rouge_l");
        var failure = await TrainerFixture.FailureAsync(() => EstimateAsync(trainer.Jobs, trainer.Spec(stage)));
        Assert.Equal((ErrorReason.DataInvalid, "asked"), (failure.Reason, failure.Metadata["stage"]));
        Assert.StartsWith("datasets/texts/versions/", failure.Metadata["dataset"], StringComparison.Ordinal);
    }

    [Fact]
    [Covers(Rpc, "MODEL_DOES_NOT_FIT")]
    public async Task A_job_whose_weights_cannot_fit_is_refused_and_its_estimate_says_so()
    {
        await using var small = await trainer.StartTrainerAsync(trainer.Store, "Api", ("Trainer:DeviceMemoryBytes", "1000000"));
        var jobs = new FineTuneService.FineTuneServiceClient(small.Channel);
        var spec = trainer.SmallSpec();
        spec.Method = new TrainingMethod { Full = new FineTuneSpec.Types.FullMethod() };

        var failure = await TrainerFixture.FailureAsync(() => TrainerFixture.CreateAsync(jobs, spec));
        Assert.Equal(ErrorReason.ModelDoesNotFit, failure.Reason);
        Assert.Contains("No single change makes it fit", failure.Message, StringComparison.Ordinal);
        Assert.False((await EstimateAsync(jobs, spec)).Estimate.Fits);
    }

    [Fact]
    public async Task What_would_fit_is_named_and_does_fit()
    {
        var stage = TrainerFixture.Stage("only", "long-answers", maxSequenceTokens: 512);
        (stage.BatchSize, stage.GradientCheckpointing) = (4, false);
        var spec = trainer.Spec(stage);
        spec.Method = new TrainingMethod { Full = new FineTuneSpec.Types.FullMethod() };
        var needed = (await EstimateAsync(trainer.Jobs, spec)).Estimate.PeakDeviceBytes;

        await using var small = await trainer.StartTrainerAsync(
            trainer.Store, "Api", ("Trainer:DeviceMemoryBytes", (needed - 1).ToString(System.Globalization.CultureInfo.InvariantCulture)));
        var jobs = new FineTuneService.FineTuneServiceClient(small.Channel);
        var estimate = (await EstimateAsync(jobs, spec)).Estimate;
        Assert.False(estimate.Fits);
        Assert.Contains(estimate.Remedies, remedy => remedy is { FieldPath: "stages[only].gradient_checkpointing", Value: "true" });

        stage.GradientCheckpointing = true;
        var checkpointed = (await EstimateAsync(jobs, spec)).Estimate;
        Assert.True(checkpointed.Fits);
        Assert.True(checkpointed.Stages[0].GradientCheckpointing);
    }

    [Fact]
    public async Task The_time_of_a_kind_of_stage_that_ran_here_is_measured()
    {
        var spec = trainer.SmallSpec();
        spec.Method = new FineTuneSpec.Types.TrainingMethod { Lora = new FineTuneSpec.Types.LoraMethod { Rank = 3 } };
        Assert.Equal("MODELLED", (await EstimateAsync(trainer.Jobs, spec)).Estimate.Basis);
        await trainer.RunAsync(spec);
        var estimate = (await EstimateAsync(trainer.Jobs, spec)).Estimate;

        Assert.Equal("MEASURED", estimate.Basis);
        Assert.True(estimate.Duration.ToTimeSpan() > TimeSpan.Zero);
        spec.Method.Lora.Rank = 5;
        Assert.Equal("MODELLED", (await EstimateAsync(trainer.Jobs, spec)).Estimate.Basis);
    }

    [Fact]
    public async Task Layers_computed_again_give_the_same_model_bit_for_bit()
    {
        var (plain, _) = await trainer.RunAsync(trainer.SmallSpec());
        var spec = trainer.SmallSpec();
        spec.Stages[0].GradientCheckpointing = true;
        var (checkpointed, _) = await trainer.RunAsync(spec);
        Assert.True(checkpointed.Spec.Stages[0].GradientCheckpointing);
        Assert.Equal(await WeightsAsync(plain), await WeightsAsync(checkpointed));
    }

    private async Task<string> WeightsAsync(FineTuneJob job)
    {
        var artifacts = trainer.Services.GetRequiredService<IArtifactStore>();
        var folder = await artifacts.OpenAsync(trainer.VersionOf(job).ManifestSha256, TestContext.Current.CancellationToken);
        return folder.Manifest.Files.Single(file => file.Path == "adapter_model.safetensors").Sha256;
    }

    private static string Text(ResourceEstimate.Types.Sample sample, Func<int, bool> takes) =>
        System.Text.Encoding.UTF8.GetString([.. sample.TokenBytes.Where((_, index) => takes(index)).SelectMany(bytes => bytes)]);

    private static async Task<FineTuneJob> EstimateAsync(FineTuneService.FineTuneServiceClient jobs, FineTuneSpec spec) => await jobs.CreateFineTuneJobAsync(
        new CreateFineTuneJobRequest { FineTuneJob = new FineTuneJob { Spec = spec }, FineTuneJobId = "only-estimated", ValidateOnly = true });
}
