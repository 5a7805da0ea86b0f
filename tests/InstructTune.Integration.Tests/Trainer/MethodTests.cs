using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using InstructTune.V1;
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
        using var before = await trainer.LoadAsync(trainer.Base);
        using var after = await trainer.LoadAsync(job.ModelVersion);
        var changed = before.Parameters.Zip(after.Parameters).Where(pair => !pair.First.Value.data<float>().ToArray().AsSpan().SequenceEqual(pair.Second.Value.data<float>().ToArray()))
            .Select(pair => pair.First.Name).ToArray();
        var expected = before.Parameters.Select(weight => weight.Name).Where(name => name.StartsWith("model.layers.1.", StringComparison.Ordinal) || name == "model.norm.weight");
        Assert.Equal(expected, changed);
    }

    [Fact]
    public async Task What_a_frozen_model_does_not_have_is_refused_with_what_there_is()
    {
        var spec = Spec(new TrainingMethod { Freeze = new() { TrainableLastLayers = 99, TrainableModules = { "q_proj", "q_prj" } } });
        spec.Stages[0].Method = new TrainingMethod { Freeze = new() { TrainableModules = { @"layers\.7\..*" } } };
        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(spec));
        Assert.Equal(ErrorReason.FieldInvalid, failure.Reason);
        Assert.Equal(
            [
                "fine_tune_job.spec.method.freeze.trainable_last_layers", "fine_tune_job.spec.method.freeze.trainable_modules[1]",
                "fine_tune_job.spec.stages[0].method.freeze.trainable_modules[0]",
            ],
            failure.Violations.Select(violation => violation.Field));
        Assert.Contains("at most 2", failure.Violations[0].Problem, StringComparison.Ordinal);
        Assert.Contains("is q_prj, which matches no module", failure.Violations[1].Problem, StringComparison.Ordinal);
        Assert.Contains("model.layers.{0..1}.self_attn.q_proj", failure.Violations[1].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pissa_adapter_of_more_singular_vectors_than_there_are_is_refused()
    {
        var spec = Spec(new TrainingMethod { Lora = new() { Initialization = Initialization.Pissa, Rank = 17 } });
        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(spec));
        var violation = Assert.Single(failure.Violations);
        Assert.Equal("fine_tune_job.spec.method.lora.rank", violation.Field);
        Assert.Contains("at most 16 with initialization PISSA: model.layers.0.self_attn.k_proj", violation.Problem, StringComparison.Ordinal);
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
        using var first = await trainer.LoadAsync(generalist.ModelVersion);
        using var second = await trainer.LoadAsync(both.ModelVersion);
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
        using var adapter = PeftAdapter.Read(await trainer.PathOfAsync(job.ModelVersion), ModelFolder.ReadConfig(await trainer.PathOfAsync(trainer.Base)));
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
        var resumed = await trainer.CancelAndResumeAsync(spec, steps: 4);
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
        using var model = await trainer.LoadAsync(job.ModelVersion);
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

        using var merged = await trainer.LoadAsync(trainer.VersionOf(both).BaseModelVersion);
        using var quantized = ModelFolder.Load(await trainer.PathOfAsync(trainer.Base), format: BaseFormat.Nf4);
        using var wide = quantized.InFormat(BaseFormat.Fp32);
        using var adapter = PeftAdapter.Read(await trainer.PathOfAsync(generalist.ModelVersion), wide.Config);
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
        using var whole = await trainer.LoadAsync(trainer.Base);
        using var residual = await trainer.LoadAsync(trainer.Base);
        using var ordinary = PeftAdapter.Read(await trainer.PathOfAsync(job.ModelVersion), whole.Config);
        using var live = PeftAdapter.Read(checkpoint, residual.Config);
        PissaConversion.MakeResidual(residual, live.Config);
        TrainedModels.AssertEqual((residual, live), (whole, ordinary));
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
}
