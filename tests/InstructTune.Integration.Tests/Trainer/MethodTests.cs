using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using TorchSharp;
using FineTuneSpec = InstructTune.V1.FineTuneSpec;
using Initialization = InstructTune.V1.FineTuneSpec.Types.LoraMethod.Types.Initialization;
using LoraMethod = InstructTune.V1.FineTuneSpec.Types.LoraMethod;
using Precision = InstructTune.V1.FineTuneSpec.Types.Precision;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;
using Transition = InstructTune.V1.FineTuneSpec.Types.StageTransition;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>Every method through the API, to the files that are published.</summary>
public sealed class MethodTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Freeze_trains_what_it_names_and_leaves_the_rest_bit_for_bit()
    {
        var spec = Spec(new TrainingMethod { Freeze = new() { TrainableLastLayers = 1, TrainableModules = { "norm" } } });
        var (job, _) = await trainer.RunAsync(spec);

        Assert.Equal(1, job.Spec.Method.Freeze.TrainableLastLayers);
        using var before = await LoadAsync(trainer.Base);
        using var after = await LoadAsync(job.ModelVersion);
        var changed = before.Parameters.Zip(after.Parameters).Where(pair => !pair.First.Value.data<float>().ToArray().AsSpan().SequenceEqual(pair.Second.Value.data<float>().ToArray()))
            .Select(pair => pair.First.Name).ToArray();
        var expected = before.Parameters.Select(weight => weight.Name).Where(name => name.StartsWith("model.layers.1.", StringComparison.Ordinal) || name == "model.norm.weight");
        Assert.Equal(expected, changed);
    }

    [Fact]
    public async Task A_module_that_is_not_there_fails_the_job_by_name()
    {
        var (job, _) = await trainer.EndOfAsync((await trainer.CreateAsync(Spec(new TrainingMethod { Freeze = new() { TrainableModules = { "q_prj" } } }))).Name);
        Assert.Equal((JobState.Failed, ErrorReason.DataInvalid), (job.Job.State, job.Job.Error.Reason));
        Assert.Contains("q_prj", job.Job.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Freeze_after_full_trains_on_from_what_was_made()
    {
        var specialist = TrainerFixture.Stage("specialist", "special");
        specialist.Method = new TrainingMethod { Freeze = new() { TrainableModules = { "mlp.*" } } };
        var spec = trainer.Spec(TrainerFixture.Stage("generalist", "general"), specialist);
        spec.Method = new TrainingMethod { Full = new() };
        var (both, _) = await trainer.RunAsync(spec);
        spec.Stages.RemoveAt(1);
        var (generalist, _) = await trainer.RunAsync(spec);

        Assert.Equal(Transition.MergeThenNew, both.Spec.Stages[1].Transition);
        using var first = await LoadAsync(generalist.ModelVersion);
        using var second = await LoadAsync(both.ModelVersion);
        Assert.All(first.Parameters.Zip(second.Parameters), pair => Assert.Equal(
            pair.First.Name.Contains(".mlp.", StringComparison.Ordinal), !pair.First.Value.equal(pair.Second.Value).all().item<bool>()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pissa_job_gives_an_ordinary_adapter_of_twice_the_rank(bool isStabilized)
    {
        var spec = Spec(new TrainingMethod { Lora = new() { Rank = 4, Initialization = Initialization.Pissa, RankStabilized = isStabilized } });
        var (job, events) = await trainer.RunAsync(spec);
        var (plain, all) = await trainer.RunAsync(Spec(new TrainingMethod { Lora = new() { Rank = 4, RankStabilized = isStabilized } }));

        Assert.Equal(Initialization.Pissa, job.Spec.Method.Lora.Initialization);
        Assert.Equal(8, trainer.VersionOf(job).Adapter!.Rank);

        // Both start as the base, and the published adapter computes over the whole base what was trained over the residual.
        Assert.Equal(LossOf(all, first: true), LossOf(events, first: true), 1e-5);
        Assert.NotEqual(LossOf(all, first: false), LossOf(events, first: false), 1e-5);
        using var adapter = PeftAdapter.Read(await PathOfAsync(job.ModelVersion), (await ConfigAsync()));
        Assert.Equal((LoraStart.Uniform, 8), (adapter.Config.Start, adapter.Config.Rank));
        await AssertServesAsync(job, (await LastCheckpointAsync(job)));
    }

    [Theory]
    [InlineData("pissa")]
    [InlineData("bf16")]
    [InlineData("pure")]
    [InlineData("freeze")]
    [InlineData("noise")]
    [InlineData("dora")]
    public async Task A_cancelled_job_goes_on_with_the_bits_of_an_undisturbed_one(string what)
    {
        var spec = Spec(what switch
        {
            "pissa" => new TrainingMethod { Lora = new() { Rank = 4, Initialization = Initialization.Pissa } },
            "dora" => new TrainingMethod { Lora = new() { Rank = 4, WeightDecomposed = true, Initialization = Initialization.Gaussian, Dropout = 0.1 } },
            "freeze" => new TrainingMethod { Freeze = new() { TrainableLastLayers = 1 } },
            _ => new TrainingMethod { Full = new() },
        }, epochs: 3);
        spec.Precision = what switch { "bf16" => Precision.Bfloat16, "pure" => Precision.PureBfloat16, _ => Precision.Unspecified };
        spec.Stages[0].NeftuneAlpha = what == "noise" ? 5 : 0;
        var (undisturbed, _) = await trainer.RunAsync(spec);
        var name = (await trainer.CreateAsync(spec)).Name;
        await trainer.WatchUntilAsync(name, entry => entry.MetricsReported is { Step: >= 4 });
        await trainer.Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (_, history) = await trainer.EndOfAsync(name);
        await trainer.Jobs.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (resumed, _) = await trainer.EndOfAsync(name, history[^1].Sequence);

        Assert.True(resumed.Job.State == JobState.Succeeded, resumed.Job.Error?.ToString());
        Assert.Equal(trainer.VersionOf(undisturbed).ManifestSha256, trainer.VersionOf(resumed).ManifestSha256);
    }

    [Theory]
    [InlineData(Precision.Bfloat16)]
    [InlineData(Precision.PureBfloat16)]
    public async Task Weights_of_a_bfloat16_job_are_bfloat16(Precision precision)
    {
        var spec = Spec(new TrainingMethod { Full = new() });
        spec.Precision = precision;
        var (job, _) = await trainer.RunAsync(spec);
        Assert.Equal(precision, job.Spec.Precision);
        using var model = await LoadAsync(job.ModelVersion);
        Assert.All(model.Parameters, weight => Assert.True(
            weight.Value.equal(weight.Value.to_type(torch.ScalarType.BFloat16).to_type(torch.ScalarType.Float32)).all().item<bool>(), weight.Name));
    }

    [Fact]
    public async Task An_adapter_over_bfloat16_weights_stays_float32()
    {
        var spec = Spec(new TrainingMethod { Lora = new() { Rank = 4 } });
        var (plain, _) = await trainer.RunAsync(spec);
        spec.Precision = Precision.Bfloat16;
        var (narrow, _) = await trainer.RunAsync(spec);
        Assert.NotEqual(await trainer.WeightsOfAsync(plain), await trainer.WeightsOfAsync(narrow));
        Assert.InRange(Math.Abs(plain.Stages[0].TrainingLoss - narrow.Stages[0].TrainingLoss), 1e-9, 0.05);
    }

    [Fact]
    public async Task Noise_on_embeddings_changes_training_and_not_validation()
    {
        var spec = Spec(new TrainingMethod { Lora = new() { Rank = 4 } });
        spec.Stages[0].ValidationDatasets.Add("datasets/special");
        spec.Stages[0].PeakLearningRate = 1e-12;
        var (plain, before) = await trainer.RunAsync(spec);
        spec.Stages[0].NeftuneAlpha = 15;
        var (noisy, after) = await trainer.RunAsync(spec);
        Assert.Equal(15, noisy.Spec.Stages[0].NeftuneAlpha);
        Assert.Equal(plain.Stages[0].ValidationLoss, noisy.Stages[0].ValidationLoss, 1e-6);
        Assert.NotEqual(LossOf(before, first: true), LossOf(after, first: true));
    }

    [Fact]
    public async Task Four_bit_scales_can_stay_float32()
    {
        var twice = await trainer.RunAsync(Spec(new TrainingMethod { Qlora = new() { Lora = new() { Rank = 4 } } }));
        var once = await trainer.RunAsync(Spec(new TrainingMethod { Qlora = new() { Lora = new() { Rank = 4 }, DoubleQuantization = false } }));
        Assert.True(twice.Job.Spec.Method.Qlora.DoubleQuantization);
        Assert.False(once.Job.Spec.Method.Qlora.DoubleQuantization);
        Assert.NotEqual(await trainer.WeightsOfAsync(twice.Job), await trainer.WeightsOfAsync(once.Job));
    }

    [Fact]
    public async Task A_four_bit_stage_is_merged_in_float32_into_what_its_codes_stand_for()
    {
        var qlora = new TrainingMethod { Qlora = new() { Lora = new() { Rank = 4 } } };
        var specialist = TrainerFixture.Stage("specialist", "special");
        (specialist.Method, specialist.Transition) = (new TrainingMethod { Lora = new() { Rank = 2 } }, Transition.MergeThenNew);
        var spec = trainer.Spec(TrainerFixture.Stage("generalist", "general"), specialist);
        spec.Method = qlora;
        var (both, _) = await trainer.RunAsync(spec);
        spec.Stages.RemoveAt(1);
        var (generalist, _) = await trainer.RunAsync(spec);

        using var merged = await LoadAsync(trainer.VersionOf(both).BaseModelVersion);
        using var quantized = ModelFolder.Load(await PathOfAsync(trainer.Base), format: BaseFormat.Nf4);
        using var wide = quantized.InFormat(BaseFormat.Fp32);
        using var adapter = PeftAdapter.Read(await PathOfAsync(generalist.ModelVersion), wide.Config);
        LoraMerge.Into(wide, adapter);
        Assert.All(merged.Parameters.Zip(wide.Parameters), pair => Assert.True(pair.First.Value.equal(pair.Second.Value).all().item<bool>(), pair.First.Name));
    }

    [Theory]
    [InlineData("freeze", "method.freeze")]
    [InlineData("pattern", "method.freeze.trainable_modules")]
    [InlineData("dora", "method.lora.initialization")]
    [InlineData("qlora", "method.qlora.lora.initialization")]
    [InlineData("bf16", "method.lora.initialization")]
    [InlineData("pure", "precision")]
    [InlineData("noise", "stages[0].neftune_alpha")]
    public async Task What_cannot_be_is_refused_by_field(string what, string field)
    {
        var pissa = new LoraMethod { Initialization = Initialization.Pissa };
        var spec = Spec(what switch
        {
            "freeze" => new TrainingMethod { Freeze = new() },
            "pattern" => new TrainingMethod { Freeze = new() { TrainableModules = { "(" } } },
            "dora" => new TrainingMethod { Lora = new() { Initialization = Initialization.Pissa, WeightDecomposed = true } },
            "qlora" => new TrainingMethod { Qlora = new() { Lora = pissa } },
            "noise" => new TrainingMethod { Full = new() },
            _ => new TrainingMethod { Lora = pissa },
        });
        spec.Precision = what switch { "bf16" => Precision.Bfloat16, "pure" => Precision.PureBfloat16, _ => Precision.Unspecified };
        spec.Stages[0].NeftuneAlpha = what == "noise" ? -1 : 0;
        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(spec));
        Assert.Contains("fine_tune_job.spec." + field, failure.Violations.Select(violation => violation.Field));
    }

    // The checkpoint is the adapter in training, which fits the residual base.
    private async Task AssertServesAsync(FineTuneJob job, string checkpoint)
    {
        using var whole = await LoadAsync(trainer.Base);
        using var residual = await LoadAsync(trainer.Base);
        var path = await PathOfAsync(job.ModelVersion);
        // Both belong to the thread: nothing is awaited within them.
        using var scope = torch.NewDisposeScope();
        using var frozen = torch.no_grad();
        using var ordinary = PeftAdapter.Read(path, whole.Config);
        using var live = PeftAdapter.Read(checkpoint, residual.Config);
        PissaConversion.MakeResidual(residual, live.Config);
        var ids = torch.arange(3, 40, torch.ScalarType.Int64).unsqueeze(0);
        var expected = residual.Logits(residual.Hidden(ids, live).squeeze(0), live);
        var actual = whole.Logits(whole.Hidden(ids, ordinary).squeeze(0), ordinary);
        var plain = whole.Logits(whole.Hidden(ids).squeeze(0));
        Assert.InRange((expected - actual).abs().max().item<float>(), 0, 2e-5f);
        Assert.True((expected - plain).abs().max().item<float>() > 1e-2, "the adapter changes nothing");
    }

    private async Task<string> LastCheckpointAsync(FineTuneJob job)
    {
        var last = (await trainer.Jobs.ListCheckpointsAsync(new ListCheckpointsRequest { Parent = job.Name }, cancellationToken: Token)).Checkpoints[0];
        return Path.Combine(trainer.StorageRoot, "jobs", job.Name.Split('/')[1], $"attempt-{last.Attempt}", $"step-{last.Step:D8}");
    }

    private static double LossOf(IReadOnlyList<JobEvent> events, bool first)
    {
        var metrics = events.Where(entry => entry.MetricsReported is not null).Select(entry => entry.MetricsReported.Values["training_loss"]).ToArray();
        return first ? metrics[0] : metrics[^1];
    }

    private FineTuneSpec Spec(TrainingMethod method, double epochs = 1, double rate = 1e-2)
    {
        var stage = TrainerFixture.Stage("only", "special", epochs);
        stage.PeakLearningRate = rate;
        var spec = trainer.Spec(stage);
        spec.Method = method;
        return spec;
    }

    private async Task<LlamaConfig> ConfigAsync() => ModelFolder.ReadConfig(await PathOfAsync(trainer.Base));

    private async Task<LlamaModel> LoadAsync(string version) => ModelFolder.Load(await PathOfAsync(version));

    private async Task<string> PathOfAsync(string version)
    {
        var parts = version.Split('/');
        return (await trainer.Services.GetRequiredService<IArtifactStore>().OpenAsync(trainer.Registry.Find(parts[1], parts[3])!.ManifestSha256, Token)).Path;
    }
}
