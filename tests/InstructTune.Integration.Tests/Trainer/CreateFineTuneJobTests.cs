using InstructTune.Testing;
using InstructTune.V1;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;

namespace InstructTune.Integration.Tests.Trainer;

public sealed class CreateFineTuneJobTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private const string Rpc = "FineTuneService/CreateFineTuneJob";

    [Fact]
    public async Task The_returned_job_has_every_default_and_every_version()
    {
        var spec = new FineTuneSpec { BaseModel = "models/tiny/versions/latest", Stages = { new FineTuneSpec.Types.Stage { StageId = "one", Dataset = "datasets/general" } } };
        var job = await trainer.CreateAsync(spec);

        Assert.Equal(trainer.Base, job.Spec.BaseModel);
        var stage = Assert.Single(job.Spec.Stages);
        Assert.StartsWith("datasets/general/versions/", stage.Dataset, StringComparison.Ordinal);
        Assert.DoesNotContain("latest", stage.Dataset, StringComparison.Ordinal);
        Assert.Equal((4, 4, 3d, 512), (stage.BatchSize, stage.MicroBatchSize, stage.Epochs, stage.MaxSequenceTokens));
        Assert.Equal((2e-4, 0.03, 1d), (stage.PeakLearningRate, stage.WarmupRatio, stage.MaxGradientNorm));
        Assert.Equal((0.9, 0.999, 1e-8), (stage.Optimizer.Beta1, stage.Optimizer.Beta2, stage.Optimizer.Epsilon));
        Assert.Equal((16, 32d, 7), (job.Spec.Method.Lora.Rank, job.Spec.Method.Lora.Alpha, job.Spec.Method.Lora.TargetModules.Count));
        Assert.Equal((100, 2), (job.Spec.CheckpointPolicy.EverySteps, job.Spec.CheckpointPolicy.KeepLast));
        Assert.Equal((5, "alpaca"), (job.Spec.MaxAttempts, job.Spec.PromptFormat));
        Assert.Equal(64, job.SpecSha256.Length);
        Assert.Equal("models/" + job.Name.Split('/')[1], job.OutputModel);
    }

    [Fact]
    [Covers(Rpc, "FIELD_INVALID")]
    public async Task Every_violation_is_named_at_once()
    {
        var spec = trainer.Spec(
            new FineTuneSpec.Types.Stage { StageId = "A stage", Dataset = "general", BatchSize = 8, MicroBatchSize = 3, WarmupRatio = 1.5, Epochs = -1 });
        spec.BaseModel = "tiny";
        spec.Method = new TrainingMethod { Lora = new FineTuneSpec.Types.LoraMethod { Dropout = 1, TargetModules = { "lm_head" } } };

        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(spec, id: "No", requestId: "no-uuid"));

        Assert.Equal(ErrorReason.FieldInvalid, failure.Reason);
        Assert.Equal(
            [
                "fine_tune_job.spec.base_model", "fine_tune_job.spec.method.lora.dropout", "fine_tune_job.spec.method.lora.target_modules",
                "fine_tune_job.spec.stages[0].dataset", "fine_tune_job.spec.stages[0].epochs", "fine_tune_job.spec.stages[0].micro_batch_size",
                "fine_tune_job.spec.stages[0].stage_id", "fine_tune_job.spec.stages[0].warmup_ratio", "fine_tune_job_id", "request_id",
            ],
            failure.Violations.Select(violation => violation.Field).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_sequence_longer_than_the_context_of_the_base_is_refused()
    {
        var failure = await TrainerFixture.FailureAsync(
            () => trainer.CreateAsync(trainer.Spec(TrainerFixture.Stage("one", "general", maxSequenceTokens: TinyBase.ContextTokens + 1))));
        Assert.Equal("fine_tune_job.spec.stages[0].max_sequence_tokens", Assert.Single(failure.Violations).Field);
    }

    [Theory]
    [InlineData("models/nobody/versions/1", "general", "models/nobody/versions/1")]
    [InlineData("", "nobody", "datasets/nobody")]
    [Covers(Rpc, "RESOURCE_NOT_FOUND")]
    public async Task An_unknown_base_or_dataset_is_refused_by_name(string baseModel, string dataset, string named)
    {
        var spec = trainer.Spec(TrainerFixture.Stage("one", dataset));
        spec.BaseModel = baseModel.Length > 0 ? baseModel : trainer.Base;
        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(spec));
        Assert.Equal(ErrorReason.ResourceNotFound, failure.Reason);
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Covers(Rpc, "WRONG_KIND")]
    public async Task All_weights_cannot_be_trained_on_from_an_adapter_unless_it_is_merged()
    {
        var spec = trainer.SmallSpec();
        spec.BaseModel = trainer.Adapter;
        spec.Method = new FineTuneSpec.Types.TrainingMethod { Full = new FineTuneSpec.Types.FullMethod() };
        Assert.Equal(ErrorReason.WrongKind, (await TrainerFixture.FailureAsync(() => trainer.CreateAsync(spec))).Reason);
    }

    [Fact]
    [Covers(Rpc, "RESOURCE_EXISTS")]
    public async Task An_id_is_taken_once()
    {
        await trainer.CreateAsync(trainer.SmallSpec(), id: "taken-once");
        Assert.Equal(ErrorReason.ResourceExists, (await TrainerFixture.FailureAsync(() => trainer.CreateAsync(trainer.SmallSpec(), id: "taken-once"))).Reason);
    }

    [Fact]
    [Covers(Rpc, "REQUEST_ID_REUSED")]
    public async Task A_repeated_request_returns_the_first_job_and_a_changed_one_is_refused()
    {
        var requestId = Guid.NewGuid().ToString();
        var first = await trainer.CreateAsync(trainer.SmallSpec(), requestId: requestId);
        Assert.Equal(first.Name, (await trainer.CreateAsync(trainer.SmallSpec(), requestId: requestId)).Name);

        var other = trainer.SmallSpec();
        other.Seed++;
        Assert.Equal(ErrorReason.RequestIdReused, (await TrainerFixture.FailureAsync(() => trainer.CreateAsync(other, requestId: requestId))).Reason);
    }

    [Fact]
    [Covers(Rpc, "PEER_UNREACHABLE")]
    public async Task Without_the_dataset_service_the_call_fails_and_says_so()
    {
        await using var alone = await trainer.StartTrainerAsync(trainer.Store, "Api", ("Peers:Dataset", $"http://127.0.0.1:{FreePort.Next()}"));
        var jobs = new FineTuneService.FineTuneServiceClient(alone.Channel);
        var failure = await TrainerFixture.FailureAsync(() => TrainerFixture.CreateAsync(jobs, trainer.SmallSpec()));
        Assert.Equal(ErrorReason.PeerUnreachable, failure.Reason);
    }

    [Fact]
    public async Task Specs_that_differ_only_in_attempts_have_one_digest()
    {
        var first = await trainer.CreateAsync(trainer.SmallSpec());
        var spec = trainer.SmallSpec();
        spec.MaxAttempts = 9;
        Assert.Equal(first.SpecSha256, (await trainer.CreateAsync(spec)).SpecSha256);
        spec.Seed++;
        Assert.NotEqual(first.SpecSha256, (await trainer.CreateAsync(spec)).SpecSha256);
    }
}
