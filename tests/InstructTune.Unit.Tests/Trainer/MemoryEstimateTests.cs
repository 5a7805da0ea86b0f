using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.Data;
using InstructTune.Trainer.Estimation;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class MemoryEstimateTests
{
    // 5.4 million weights in six layers.
    private static readonly LlamaConfig Small = new()
    {
        VocabularySize = 4096, ModelWidth = 256, FeedForwardWidth = 688, LayerCount = 6, QueryHeads = 8, KeyValueHeads = 4, HeadWidth = 32, ContextTokens = 1024,
        TiedEmbeddings = true,
    };

    private static readonly LoraSpec s_lora = SpecCompletion.Complete(new LoraSpec());

    [Fact]
    public void A_batch_of_short_rows_is_one_pass() => Assert.Single(Cut().Cut(Rows(16, 256), microBatchSize: 16));

    [Fact]
    public void Long_rows_are_cut_into_passes_of_fewer_rows_than_asked_for()
    {
        var passes = Cut().Cut(Rows(32, 1024), microBatchSize: 32);
        Assert.InRange(passes.Count, 2, 4);
        Assert.Equal(32, passes.Sum(pass => pass.Count));
    }

    [Fact]
    public void Each_time_the_device_ran_out_of_memory_passes_have_half_the_rows() =>
        Assert.Equal([16, 8, 4], Enumerable.Range(0, 3).Select(halvings => Cut(halvings).Cut(Rows(16, 8), microBatchSize: 16)[0].Count));

    [Fact]
    public void States_follow_method_and_optimizer()
    {
        var full = Memory(null, OptimizerKind.AdamW);
        Assert.Equal(5_401_856, full.TrainableCount);
        Assert.Equal((4 * full.TrainableCount, 4 * full.TrainableCount, 8 * full.TrainableCount), (full.WeightBytes, full.GradientBytes, full.OptimizerBytes));
        Assert.Equal(0, Memory(null, OptimizerKind.Sgd).OptimizerBytes);
        Assert.Equal(full.OptimizerBytes / 2, Memory(null, OptimizerKind.Lion).OptimizerBytes);
        Assert.InRange(Memory(null, OptimizerKind.AdamW8Bit).OptimizerBytes, full.OptimizerBytes / 4, full.OptimizerBytes / 3);
        Assert.InRange(Memory(null, OptimizerKind.Adafactor).OptimizerBytes, 1, full.OptimizerBytes / 50);

        var lora = Memory(s_lora, OptimizerKind.AdamW);
        Assert.Equal(6 * 16 * ((4 * 256) + (2 * (256 + 128)) + (3 * (256 + 688))), lora.TrainableCount);
        Assert.Equal(
            ModelSizes.Linear(Small).TakeLast(7).Sum(weight => weight.Count) + (2 * 256),
            new StageMemory(Small, new MethodSpec(null, new FreezeSpec(1, [])), TrainingPrecision.Float32, OptimizerKind.AdamW, hasMoment: false).TrainableCount);
        Assert.InRange(Memory(s_lora with { QuantizesBase = true }, OptimizerKind.AdamW).WeightBytes, lora.WeightBytes / 4, lora.WeightBytes / 2);
    }

    [Fact]
    public void Layers_computed_again_are_not_kept()
    {
        var (memory, rows) = (Memory(null, OptimizerKind.AdamW), Rows(4, 512).ToList());
        Assert.True(memory.ActivationBytes(rows, recomputes: true) < memory.ActivationBytes(rows, recomputes: false) / 2);
    }

    [Fact]
    public void Layers_below_the_first_that_is_trained_keep_nothing()
    {
        var rows = Rows(4, 512).ToList();
        var all = Memory(null, OptimizerKind.AdamW);
        var (half, one) = (Frozen(3), Frozen(1));
        Assert.Equal(all.BytesPerToken(recomputes: false), 2 * half.BytesPerToken(recomputes: false));
        Assert.Equal(all.BytesPerToken(recomputes: false), 6 * one.BytesPerToken(recomputes: false));
        Assert.Equal(0, Frozen(0, "model.norm").BytesPerToken(recomputes: false));
        Assert.InRange(one.ActivationBytes(rows, recomputes: false), 0, all.ActivationBytes(rows, recomputes: false) / 2);
        Assert.InRange(half.ActivationBytes(rows, recomputes: false), one.ActivationBytes(rows, recomputes: false), all.ActivationBytes(rows, recomputes: false));

        // One pattern that reaches the embedding reaches everything on the way back to it.
        Assert.Equal(all.BytesPerToken(recomputes: false), Frozen(0, "embed_tokens").BytesPerToken(recomputes: false));
    }

    [Fact]
    public void What_fits_only_with_layers_computed_again_has_them_computed_again()
    {
        var (run, estimator) = Stage(checkpointing: null);
        var (_, _, plain) = estimator.Peak(run, long.MaxValue);
        Assert.False(estimator.RequireFit(run, plain));
        Assert.True(estimator.RequireFit(run, plain - 1));
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_what_would()
    {
        var (run, estimator) = Stage(checkpointing: false);
        var (_, _, peak) = estimator.Peak(run, long.MaxValue);
        var fault = Assert.Throws<JobFailedException>(() => estimator.RequireFit(run, peak - 1)).Fault;

        Assert.Equal("MODEL_DOES_NOT_FIT", fault.Reason);
        Assert.Equal((peak >> 20).ToString(CultureInfo.InvariantCulture), fault.Metadata["peak_mebibytes"]);
        var remedies = estimator.Remedies(run, peak - 1);
        Assert.Equal(
            ["stages[one].gradient_checkpointing", "stages[one].micro_batch_size", "stages[one].optimizer.type", "stages[one].method", "stages[one].method.qlora"],
            remedies.Select(remedy => remedy.FieldPath));
        Assert.All(remedies, remedy => Assert.InRange(remedy.PeakBytes, 1, peak - 1));
        Assert.All(remedies, remedy => Assert.Contains(remedy.FieldPath, fault.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_job_is_estimated_from_the_rows_of_every_step()
    {
        var (run, estimator) = Stage(checkpointing: null);
        var estimate = JobEstimator.Of(Spec(run.Spec), Small, [run], Speed(1e11, 1e10), long.MaxValue);

        Assert.True(estimate.Fits);
        Assert.Empty(estimate.Remedies);
        var stage = Assert.Single(estimate.Stages);
        Assert.Equal(4 * 2, stage.Run.Batches.PlannedSteps);
        Assert.Equal(2L * 32 * 199, stage.TrainedTokens);
        Assert.Equal(estimator.Peak(run, long.MaxValue).PeakBytes, estimate.PeakBytes);

        // Twice the speed, half the time.
        var fast = JobEstimator.Of(Spec(run.Spec), Small, [run], Speed(2e11, 2e10), long.MaxValue);
        Assert.Equal(stage.Seconds / 2, fast.Stages[0].Seconds, 1e-9);

        // What like stages took here stands in place of the processor's speed.
        Assert.False(estimate.IsMeasured);
        var measured = JobEstimator.Of(Spec(run.Spec), Small, [run], NotAsked(), long.MaxValue, kind => kind.Contains("; full;", StringComparison.Ordinal) ? 3 : null);
        Assert.True(measured.IsMeasured);
        Assert.Equal(3 * stage.Seconds, measured.Stages[0].Seconds, 1e-9);

        // 6 N operations a token bound it from below.
        Assert.InRange(stage.Seconds, 6.0 * 5_401_856 * 2 * 32 * 199 / 1e11, 3 * 6.0 * 5_401_856 * 2 * 32 * 199 / 1e11);
    }

    private static Lazy<ProcessorSpeed> Speed(double flops, double bytes) => new(new ProcessorSpeed(flops, bytes));

    private static Lazy<ProcessorSpeed> NotAsked() => new(() => throw new InvalidOperationException("nothing is measured where like stages ran"));

    private static (StageRun Run, StageEstimator Estimator) Stage(bool? checkpointing)
    {
        var stage = SpecCompletion.Complete(
            Spec(new StageSpec { StageId = "one", Dataset = "d", Epochs = 2, BatchSize = 8, MicroBatchSize = 8, MaxSequenceTokens = 512, GradientCheckpointing = checkpointing }),
            new BaseFacts("models/m/versions/1", "", 1024), [new DatasetFacts("datasets/d/versions/1", "", 32)]);
        var data = new StageData
        {
            Rows = [.. Rows(32, 200)], ExampleCount = 32, TruncatedCount = 0, Dropped = new Dictionary<string, long>(StringComparer.Ordinal),
        };
        return (new StageRun(0, stage.Stages[0], data, [], 1), new StageEstimator(Small, stage, 0, halvings: 0));
    }

    private static FineTuneSpec Spec(StageSpec stage) => new() { BaseModel = "models/m/versions/1", Stages = [stage] };

    private static StageMemory Memory(LoraSpec? lora, OptimizerKind optimizer) => new(Small, new MethodSpec(lora), TrainingPrecision.Float32, optimizer, hasMoment: false);

    private static StageMemory Frozen(int lastLayers, params string[] modules) =>
        new(Small, new MethodSpec(null, new FreezeSpec(lastLayers, modules)), TrainingPrecision.Float32, OptimizerKind.AdamW, hasMoment: false);

    private static PassCut Cut(int halvings = 0) => new(Memory(null, OptimizerKind.AdamW), halvings);

    private static IEnumerable<TokenizedExample> Rows(int count, int length) =>
        Enumerable.Range(0, count).Select(_ => new TokenizedExample(new int[length], [.. Enumerable.Repeat(true, length)]));
}
