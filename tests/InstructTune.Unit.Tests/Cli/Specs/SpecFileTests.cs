using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Specs;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Cli.Specs;

public sealed class SpecFileTests
{
    private const string Whole =
        """
        base_model: tiny
        seed: 7
        method:
          lora: {rank: 8, target_modules: [q_proj, v_proj]}
        stages:
          - stage_id: generalist
            dataset: lima
            epochs: 1.5
            schedule: cosine
            warmup_steps: 3
            max_gradient_norm: 0
          - stage_id: specialist
            dataset: datasets/reviews/versions/0123456789abcdef
            truncation: TRUNCATION_DROP
            optimizer:
              beta2: 0.95
        """;

    [Fact]
    public void Every_kind_of_field_is_read()
    {
        var spec = Parse(Whole);
        Assert.Equal("models/tiny/versions/latest", spec.BaseModel);
        Assert.Equal(7UL, spec.Seed);
        Assert.Equal(8, spec.Method.Lora.Rank);
        Assert.Equal(["q_proj", "v_proj"], spec.Method.Lora.TargetModules);
        Assert.Equal(["datasets/lima", "datasets/reviews/versions/0123456789abcdef"], spec.Stages.Select(stage => stage.Dataset));
        Assert.Equal(1.5, spec.Stages[0].Epochs);
        Assert.Equal(FineTuneSpec.Types.Schedule.Cosine, spec.Stages[0].Schedule);
        Assert.Equal(3, spec.Stages[0].WarmupSteps);
        Assert.True(spec.Stages[0].HasMaxGradientNorm);
        Assert.False(spec.Stages[1].HasMaxGradientNorm);
        Assert.Equal(Truncation.Drop, spec.Stages[1].Truncation);
        Assert.Equal(0.95, spec.Stages[1].Optimizer.Beta2);
    }

    [Fact]
    public void A_mix_and_a_checkpoint_are_read()
    {
        var spec = Parse(
            """
            base_model: fineTuneJobs/one/checkpoints/a1-s5
            stages:
              - stage_id: s
                mix:
                  strategy: interleave_until_all
                  components: [{version: lima, weight: 3}, {version: datasets/alpaca/versions/01, weight: 1}]
                validation_datasets: [held-out]
            """);
        Assert.Equal("fineTuneJobs/one/checkpoints/a1-s5", spec.BaseModel);
        Assert.Equal(DatasetMix.Types.Strategy.InterleaveUntilAll, spec.Stages[0].Mix.Strategy);
        Assert.Equal(["datasets/lima", "datasets/alpaca/versions/01"], spec.Stages[0].Mix.Components.Select(component => component.Version));
        Assert.Equal(3, spec.Stages[0].Mix.Components[0].Weight);
        Assert.Equal(["datasets/held-out"], spec.Stages[0].ValidationDatasets);
    }

    [Fact]
    public void A_method_without_settings_takes_its_defaults()
    {
        var spec = Parse("base_model: tiny\nmethod:\n  full:\nstages: [{stage_id: s, dataset: d}]");
        Assert.Equal(FineTuneSpec.Types.TrainingMethod.MethodOneofCase.Full, spec.Method.MethodCase);
    }

    [Theory]
    [InlineData("base_model: m\nstages:\n- stage_id: s\n  dataset: d\n  epoch: 3", "job.yaml:5: unknown key 'epoch' in 'stages[0]'; did you mean 'epochs'?")]
    [InlineData("base_model: m\nlearning: 3\nstages: []", "job.yaml:2: unknown key 'learning' in the file; known are base_model, stages, method, precision, seed, checkpoint_policy...")]
    [InlineData("base_model: m\nseed: -1", "job.yaml:2: 'seed' must be a whole number of at least 0, not '-1'.")]
    [InlineData("base_model: m\nstages:\n- epochs: many", "job.yaml:3: 'stages[0].epochs' must be a number, not 'many'.")]
    [InlineData("base_model: m\nstages:\n- schedule: cosin", "job.yaml:3: 'stages[0].schedule' must be one of cosine, linear, constant...")]
    [InlineData("base_model: m\nstages: {stage_id: s}", "job.yaml:2: 'stages' must be a list.")]
    [InlineData("base_model: m\nmethod:\n  full: {}\n  lora: {}", "job.yaml:4: 'lora' and 'full' exclude each other.")]
    [InlineData("base_model: m\nstages:\n- warmup_steps: 1\n  warmup_ratio: 0.1", "job.yaml:4: 'warmup_ratio' and 'warmup_steps' exclude each other.")]
    [InlineData("base_model: m\nmethod: full", "job.yaml:2: 'method' must be a mapping of TrainingMethod fields.")]
    [InlineData("stages: []", "job.yaml: base_model is missing.")]
    [InlineData("base_model: m", "job.yaml: stages is missing; a job has one to eight.")]
    [InlineData("base_model: m\nstages: [{stage_id: s}]", "job.yaml: stages[0] has neither dataset nor mix.")]
    public void A_mistake_is_named_with_its_line(string text, string expected)
    {
        var failure = Assert.Throws<CliException>(() => Parse(text));
        if (expected.EndsWith("...", StringComparison.Ordinal))
        {
            Assert.StartsWith(expected[..^3], failure.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(expected, failure.Message);
        }

        Assert.Equal(ExitCode.Usage, failure.ExitCode);
    }

    [Theory]
    [InlineData("base_model: a\nbase_model: b")]
    [InlineData("base_model: [")]
    public void Text_that_is_no_sound_YAML_is_refused_with_its_line(string text)
    {
        var failure = Assert.Throws<CliException>(() => Parse(text));
        Assert.StartsWith("job.yaml:", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_file_may_be_JSON() =>
        Assert.Equal(3UL, Parse("""{"base_model": "tiny", "seed": 3, "stages": [{"stage_id": "s", "dataset": "d"}]}""").Seed);

    private static FineTuneSpec Parse(string text) => SpecFile.Parse(new StringReader(text), "job.yaml");
}
