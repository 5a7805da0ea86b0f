using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Trainer.Api;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class JobFilterTests
{
    [Theory]
    [InlineData("job.state = RUNNING", true)]
    [InlineData("job.state != RUNNING", false)]
    [InlineData("labels.team = \"red\"", true)]
    [InlineData("labels.team = red AND job.state = running", true)]
    [InlineData("labels.team = red AND job.state = QUEUED", false)]
    [InlineData("labels.other != red", true)]
    [InlineData("labels.team:*", true)]
    [InlineData("labels.other:*", false)]
    [InlineData("spec.base_model=models/b/versions/1", true)]
    [InlineData("job.create_time >= \"2026-01-02T00:00:00Z\"", true)]
    [InlineData("job.create_time < 2026-01-02T00:00:00Z", false)]
    public void A_job_passes_where_every_comparison_holds(string filter, bool passes) => Assert.Equal(passes, JobFilter.Parse(filter, "filter")(Job));

    [Theory]
    [InlineData("job.state = SLEEPING")]
    [InlineData("job.state = 1")]
    [InlineData("job.state < RUNNING")]
    [InlineData("spec.seed = 1")]
    [InlineData("job.state")]
    [InlineData("job.state = RUNNING OR labels.a = b")]
    [InlineData("job.state = RUNNING AND")]
    [InlineData("job.create_time > yesterday")]
    [InlineData("(job.state = RUNNING)")]
    public void Anything_else_is_refused_with_what_can_be_asked(string filter)
    {
        var refused = Assert.Throws<DomainException>(() => JobFilter.Parse(filter, "filter"));
        Assert.Contains("job.create_time", refused.Message, StringComparison.Ordinal);
    }

    private static JobRecord Job { get; } = new()
    {
        Id = "job",
        State = JobState.Running,
        Created = new DateTimeOffset(2026, 1, 2, 0, 0, 0, TimeSpan.Zero),
        Spec = new FineTuneOrder
        {
            Spec = new FineTuneSpec { BaseModel = "models/b/versions/1", Stages = [] },
            Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["team"] = "red" },
            OutputModel = "out",
            BaseManifestSha256 = "",
            Datasets = [],
        }.ToJson(),
    };
}
