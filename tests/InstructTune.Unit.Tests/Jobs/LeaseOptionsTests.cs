using InstructTune.Jobs;

namespace InstructTune.Unit.Tests.Jobs;

public sealed class LeaseOptionsTests
{
    [Fact]
    public void Defaults_are_valid() => Assert.True(new LeaseOptionsValidator().Validate(null, new LeaseOptions()).Succeeded);

    [Fact]
    public void Renewal_over_half_of_the_lease_is_refused_with_both_values()
    {
        var options = new LeaseOptions { Duration = TimeSpan.FromSeconds(10), RenewalInterval = TimeSpan.FromSeconds(6) };
        var result = new LeaseOptionsValidator().Validate(null, options);
        Assert.True(result.Failed);
        Assert.Contains("Jobs:RenewalInterval (00:00:06)", result.FailureMessage, StringComparison.Ordinal);
        Assert.Contains("Jobs:Duration (00:00:10)", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_problem_is_named_at_once()
    {
        var options = new LeaseOptions { PollInterval = TimeSpan.Zero, EventsKept = 0 };
        Assert.Equal(2, new LeaseOptionsValidator().Validate(null, options).Failures!.Count());
    }
}
