using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>Whole jobs, from the call that creates them to the files that other programs load.</summary>
public sealed class TwoStageTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    [Fact]
    [Covers("FineTuneService/CreateFineTuneJob", "OK")]
    [Covers("FineTuneService/WatchFineTuneJob", "OK")]
    [Covers("FineTuneService/GetFineTuneJob", "OK")]
    public async Task An_adapter_trained_in_two_stages_becomes_a_model_version()
    {
        var created = await trainer.CreateAsync(trainer.Spec(
            TrainerFixture.Stage("generalist", "general", epochs: 2), TrainerFixture.Stage("specialist", "special", epochs: 2)));

        var (job, events) = await trainer.EndOfAsync(created.Name);

        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString());
        Assert.Equal(1, job.Job.Progress);
        Assert.Equal([10L, 6L], job.Stages.Select(stage => stage.CompletedSteps));
        Assert.Equal([10L, 6L], job.Stages.Select(stage => stage.PlannedSteps));
        Assert.Equal(["generalist", "specialist"], events.Where(e => e.StageStarted is not null).Select(e => e.StageStarted.StageId));
        Assert.Equal(Enumerable.Range(1, events.Count).Select(i => (long)i), events.Select(e => e.Sequence));
        var metrics = events.Where(e => e.MetricsReported is not null).Select(e => e.MetricsReported).ToArray();
        Assert.Equal(Enumerable.Range(1, 16).Select(i => (long)i), metrics.Select(m => m.Step));
        Assert.All(metrics, m => Assert.Equal(16, m.PlannedSteps));
        Assert.All(metrics, m => Assert.Equal(
            ["epoch", "gradient_norm", "learning_rate", "seen_tokens", "tokens_per_second", "trained_tokens", "training_loss"], m.Values.Keys.Order(StringComparer.Ordinal)));
        Assert.True(metrics[9].Values["training_loss"] < metrics[0].Values["training_loss"]);
        Assert.NotEmpty(job.Numerics["libtorch"]);

        var version = trainer.VersionOf(job);
        Assert.Equal(ModelKind.LoraAdapter, version.Kind);
        Assert.Equal(trainer.Base, version.BaseModelVersion);
        Assert.Equal(job.Name, version.FineTuneJob);
        var files = await FilesAsync(version);
        Assert.Equal(["README.md", "adapter_config.json", "adapter_model.safetensors"], files.Manifest.Files.Select(file => file.Path));
    }

    [Fact]
    public async Task Full_weights_trained_on_plain_text_load_as_a_model()
    {
        var spec = trainer.Spec(TrainerFixture.Stage("pretrain", "texts", maxSequenceTokens: 64));
        spec.Method = new TrainingMethod { Full = new FineTuneSpec.Types.FullMethod() };

        var (job, _) = await trainer.EndOfAsync((await trainer.CreateAsync(spec)).Name);

        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString());
        var version = trainer.VersionOf(job);
        Assert.Equal(ModelKind.FullWeights, version.Kind);
        using var model = ModelFolder.Load((await FilesAsync(version)).Path);
        Assert.Equal(version.ParameterCount, model.ParameterCount);
        // Every text has 420 to 421 characters with its two control tokens, so 7 windows of 64.
        Assert.InRange(job.Stages[0].TrainedTokens, 6 * 421, 6 * 431);
    }

    [Fact]
    public async Task Equal_jobs_give_equal_bits()
    {
        var spec = trainer.Spec(TrainerFixture.Stage("generalist", "general"), TrainerFixture.Stage("specialist", "special"));
        spec.Method = new TrainingMethod { Lora = new FineTuneSpec.Types.LoraMethod { Rank = 4, Dropout = 0.1 } };
        var first = await trainer.EndOfAsync((await trainer.CreateAsync(spec)).Name);
        var second = await trainer.EndOfAsync((await trainer.CreateAsync(spec)).Name);

        Assert.Equal(first.Job.SpecSha256, second.Job.SpecSha256);
        Assert.Equal(trainer.VersionOf(first.Job).ManifestSha256, trainer.VersionOf(second.Job).ManifestSha256);
    }

    private Task<ArtifactFolder> FilesAsync(ModelVersionRecord version) =>
        trainer.Services.GetRequiredService<IArtifactStore>().OpenAsync(version.ManifestSha256, CancellationToken.None);
}
