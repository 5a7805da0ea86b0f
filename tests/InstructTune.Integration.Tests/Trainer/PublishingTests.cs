using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using Format = InstructTune.V1.ModelExport.Types.Format;
using Type = InstructTune.V1.ModelExport.Types.ElementType;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>What a job publishes beside weights: card, lineage, exports.</summary>
public sealed class PublishingTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_version_says_what_it_was_made_from_and_carries_its_card()
    {
        var spec = trainer.Spec(TrainerFixture.Stage("generalist", "general"), TrainerFixture.Stage("specialist", "special"));
        spec.Stages[1].ValidationDatasets.Add("datasets/general");
        var (job, _) = await trainer.RunAsync(spec);
        var version = trainer.VersionOf(job);

        Assert.Equal(
            ["base", "code", "numerics", "prompt_format", "seed", "spec", "stage.generalist", "stage.specialist", "validation.specialist"], version.Lineage.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("11", job.SpecSha256, $"alpaca@{version.PromptFormatSha256}"), (version.Lineage["seed"], version.Lineage["spec"], version.Lineage["prompt_format"]));
        var folder = await trainer.Services.GetRequiredService<IArtifactStore>().OpenAsync(version.ManifestSha256, Token);
        var card = await File.ReadAllTextAsync(Path.Combine(folder.Path, "README.md"), Token);
        Assert.StartsWith("---\nbase_model: tiny@1\n", card, StringComparison.Ordinal);
        Assert.Contains("library_name: peft\n", card, StringComparison.Ordinal);
        Assert.Contains("- general\n- special\n", card, StringComparison.Ordinal);
        Assert.Contains($"`{version.Lineage["numerics"]}`", card, StringComparison.Ordinal);
        Assert.Contains("After stage specialist: validation loss", card, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exports_that_a_job_asks_for_are_checked_kept_and_sent_as_they_are()
    {
        var job = await trainer.Jobs.CreateFineTuneJobAsync(
            new CreateFineTuneJobRequest
            {
                FineTuneJob = new FineTuneJob
                {
                    Spec = trainer.SmallSpec(),
                    ModelExports = { Export(Format.Peft), Export(Format.Safetensors), Export(Format.Gguf, Type.Float16), Export(Format.Gguf, Type.Q80) },
                },
            },
            cancellationToken: Token);
        var (ended, events) = await trainer.EndOfAsync(job.Name);

        Assert.True(ended.Job.State == JobState.Succeeded, ended.Job.Error?.ToString());
        Assert.Equal(4, ended.ModelExports.Count);
        Assert.Equal(4, events.Count(entry => entry.Notice?.Reason == "EXPORT_PUBLISHED"));
        var models = new ModelRegistryService.ModelRegistryServiceClient(trainer.Channel);
        var version = await models.GetModelVersionAsync(new GetModelVersionRequest { Name = ended.ModelVersion }, cancellationToken: Token);
        Assert.Equal(
            [(Format.Gguf, Type.Float16), (Format.Gguf, Type.Q80), (Format.Peft, Type.Unspecified), (Format.Safetensors, Type.Unspecified)],
            version.Exports.Select(export => (export.Format, export.ElementType)));
        Assert.All(version.Exports, export => Assert.True(export.ManifestSha256.Length == 64 && export.SizeBytes > 0 && export.Parity.TokenAgreement > 0.8, export.ToString()));
        Assert.Equal([false, false, true, true], version.Exports.Select(export => export.Parity.MaxLogitDifference == 0));

        var merged = version.Exports[^1].ManifestSha256;
        using var model = ModelFolder.Load((await trainer.Services.GetRequiredService<IArtifactStore>().OpenAsync(merged, Token)).Path);
        using var call = models.ExportModelVersion(new() { Name = version.Name, ModelExport = Export(Format.Safetensors) }, cancellationToken: Token);
        Assert.True(await call.ResponseStream.MoveNext(Token));
        Assert.Equal(merged, call.ResponseStream.Current.ModelExport.ManifestSha256);
    }

    [Theory]
    [InlineData(Format.Unspecified, Type.Unspecified, "fine_tune_job.model_exports[0].format")]
    [InlineData(Format.Gguf, Type.Unspecified, "fine_tune_job.model_exports[0].element_type")]
    [InlineData(Format.Peft, Type.Unspecified, "fine_tune_job.model_exports[0].format")]
    public async Task An_export_that_cannot_be_is_refused_by_field(Format format, Type type, string field)
    {
        var spec = trainer.SmallSpec();
        spec.Method = new FineTuneSpec.Types.TrainingMethod { Full = new FineTuneSpec.Types.FullMethod() };
        var failure = await TrainerFixture.FailureAsync(async () => await trainer.Jobs.CreateFineTuneJobAsync(
            new CreateFineTuneJobRequest { FineTuneJob = new FineTuneJob { Spec = spec, ModelExports = { Export(format, type) } } }, cancellationToken: Token));
        Assert.Equal((ErrorReason.FieldInvalid, field), (failure.Reason, failure.Violations[0].Field));
    }

    private static ModelExport Export(Format format, Type type = Type.Unspecified) => new() { Format = format, ElementType = type };
}
