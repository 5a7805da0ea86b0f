using InstructTune.Cli.Demo;
using InstructTune.V1;
using static InstructTune.Unit.Tests.Client.JobEventScript;

namespace InstructTune.Unit.Tests.Cli.Demo;

public sealed class LossLogTests
{
    [Fact]
    public void Of_a_step_that_was_repeated_the_later_attempt_counts()
    {
        var log = new LossLog();
        log.Add(Measured(1, 1, 3, 3.0, 0));
        log.Add(Measured(2, 2, 3, 2.0, 1));
        log.Add(Measured(3, 2, 3, 2.5, 2, attempt: 2));
        log.Add(State(4, JobState.Succeeded));
        Assert.Equal([3.0, 2.5], log.Reports.Select(report => report.Loss));
    }
}
