using InstructTune.Cli.Output;
using InstructTune.V1;
using static InstructTune.Unit.Tests.Client.JobEventScript;

namespace InstructTune.Unit.Tests.Cli.Output;

public sealed class PlainOutputTests
{
    [Fact]
    public void A_table_in_a_pipe_has_aligned_columns_and_no_borders()
    {
        using var output = new StringWriter { NewLine = "\n" };
        new Grid("name", "n").Add("a", "1,000").Add("longer", "2").WriteTo(new Terminal(output, TextWriter.Null, TextReader.Null));
        Assert.Equal("name    n\na       1,000\nlonger  2\n", output.ToString());
    }

    [Fact]
    public void Metrics_get_a_line_every_tenth_of_the_way()
    {
        var lines = CountLines(Enumerable.Range(1, 1000).Select(step => Measured(step, step, 1000, 2, step * 0.001)));
        Assert.Equal(11, lines);
    }

    [Fact]
    public void Slow_steps_get_a_line_every_ten_seconds()
    {
        var lines = CountLines(Enumerable.Range(1, 61).Select(step => Measured(step, step, 100_000, 2, step)));
        Assert.Equal(7, lines);
    }

    [Fact]
    public void Changes_of_state_always_get_a_line() => Assert.Equal(2, CountLines([State(1, JobState.Queued), State(2, JobState.Running)]));

    [Fact]
    public void A_brief_pace_leaves_the_stages_and_the_end()
    {
        JobEvent[] changes =
        [
            State(1, JobState.Queued), State(2, JobState.Running), Phase(3, "training"),
            Measured(4, 1, 40, 2, 1, "generalist"), Measured(5, 10, 40, 2, 2, "generalist"), Measured(6, 11, 40, 2, 3), Measured(7, 40, 40, 2, 4),
            State(8, JobState.Succeeded, 5),
        ];
        Assert.Equal(3, CountLines(changes, isBrief: true));
    }

    [Fact]
    public void A_brief_pace_says_every_ten_seconds_that_something_goes_on() =>
        Assert.Equal(7, CountLines(Enumerable.Range(1, 61).Select(step => Measured(step, step, 100_000, 2, step)), isBrief: true));

    [Theory]
    [InlineData(999, "999 B")]
    [InlineData(1_500_000, "1.5 MB")]
    [InlineData(99_532_000_000, "99.5 GB")]
    public void Sizes_have_the_unit_that_fits(long sizeBytes, string expected) => Assert.Equal(expected, Formats.Size(sizeBytes));

    private static int CountLines(IEnumerable<JobEvent> changes, bool isBrief = false)
    {
        var tracker = new JobTracker();
        var pace = new PlainPace(isBrief);
        return changes.Count(change =>
        {
            tracker.Apply(change);
            return pace.IsDue(change, tracker);
        });
    }
}
