using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>Adapters trained over weights in four bits.</summary>
public sealed class QloraTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    [Fact]
    public async Task An_adapter_is_trained_over_four_bit_weights_and_fits_the_base_it_names()
    {
        var lora = new FineTuneSpec.Types.LoraMethod { Rank = 4 };
        var qlora = await RunAsync(new TrainingMethod { Qlora = new FineTuneSpec.Types.QloraMethod { Lora = lora } });
        var again = await RunAsync(new TrainingMethod { Qlora = new FineTuneSpec.Types.QloraMethod { Lora = lora } });
        var plain = await RunAsync(new TrainingMethod { Lora = lora });

        Assert.Equal(FineTuneSpec.Types.QloraMethod.Types.Quantization.Nf4, qlora.Job.Spec.Method.Qlora.Quantization);
        Assert.Equal(4, qlora.Job.Spec.Method.Qlora.Lora.Rank);
        Assert.Equal((ModelKind.LoraAdapter, trainer.Base), (qlora.Version.Kind, qlora.Version.BaseModelVersion));
        Assert.Equal(qlora.Version.ManifestSha256, again.Version.ManifestSha256);
        Assert.NotEqual(plain.Version.ManifestSha256, qlora.Version.ManifestSha256);

        // The losses of the two differ by what rounding to four bits does to the base.
        var baseVersion = trainer.Services.GetRequiredService<IModelRegistry>().Find(trainer.Base.Split('/')[1], trainer.Base.Split('/')[3])!;
        using var model = ModelFolder.Load(await PathOfAsync(baseVersion), format: BaseFormat.Nf4);
        using var adapter = PeftAdapter.Read(await PathOfAsync(qlora.Version), model.Config);
        Assert.True(adapter.HasEffect());
        Assert.InRange(Math.Abs(qlora.Job.Stages[0].TrainingLoss - plain.Job.Stages[0].TrainingLoss), 1e-7, 0.2);
    }

    [Fact]
    public async Task A_frozen_adapter_cannot_lie_between_four_bit_weights_and_a_new_one()
    {
        var spec = trainer.Spec(TrainerFixture.Stage("generalist", "general"), TrainerFixture.Stage("specialist", "special"));
        spec.Method = new TrainingMethod { Qlora = new FineTuneSpec.Types.QloraMethod() };
        spec.Stages[1].Transition = FineTuneSpec.Types.StageTransition.Stack;
        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(spec));
        Assert.Equal(ErrorReason.FieldInvalid, failure.Reason);
        Assert.Contains("qlora", failure.Violations[0].Problem, StringComparison.Ordinal);
    }

    private async Task<(FineTuneJob Job, ModelVersionRecord Version)> RunAsync(TrainingMethod method)
    {
        var spec = trainer.Spec(TrainerFixture.Stage("generalist", "general"));
        spec.Method = method;
        spec.DisableStageReuse = true;
        var (job, _) = await trainer.EndOfAsync((await trainer.CreateAsync(spec)).Name);
        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString());
        return (job, trainer.VersionOf(job));
    }

    private async Task<string> PathOfAsync(ModelVersionRecord version) =>
        (await trainer.Services.GetRequiredService<IArtifactStore>().OpenAsync(version.ManifestSha256, CancellationToken.None)).Path;
}
