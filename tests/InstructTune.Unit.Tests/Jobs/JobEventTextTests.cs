using CsCheck;
using InstructTune.Jobs;

namespace InstructTune.Unit.Tests.Jobs;

public sealed class JobEventTextTests
{
    [Fact]
    public void Any_notice_survives_the_separators() => Gen.String.Sample(text =>
    {
        var wellFormed = new string([.. text.Where(character => !char.IsSurrogate(character))]);
        var body = new NoticeBody("NOTE", wellFormed, new Dictionary<string, string> { ["text"] = wellFormed });
        var entry = JobEventText.Parse($"7|1700000000123|3|{JobEventText.EncodePayload(body)}");
        Assert.Equal((7L, 3, 1_700_000_000_123L), (entry.Sequence, entry.Attempt, entry.Time.ToUnixTimeMilliseconds()));
        var read = Assert.IsType<NoticeBody>(entry.Body);
        Assert.Equal((body.Reason, body.Text, wellFormed), (read.Reason, read.Text, read.Metadata["text"]));
    });

    [Fact]
    public void Loss_that_is_not_a_number_is_kept()
    {
        var body = new MetricsBody(1, 2, "s", new Dictionary<string, double> { ["training_loss"] = double.NaN, ["gradient_norm"] = double.PositiveInfinity });
        var read = Assert.IsType<MetricsBody>(JobEventText.Parse($"1|0|1|{JobEventText.EncodePayload(body)}").Body);
        Assert.True(double.IsNaN(read.Values["training_loss"]));
        Assert.True(double.IsPositiveInfinity(read.Values["gradient_norm"]));
    }

    [Fact]
    public void Change_of_state_carries_its_cause()
    {
        var cause = new JobFault("DATA_INVALID", "Row 3 | is > empty.", new Dictionary<string, string> { ["row"] = "3" });
        var change = Assert.IsType<StateChangedBody>(JobEventText.Parse($"1|0|1|RUNNING>FAILED>{JobFault.Encode(cause)}").Body);
        Assert.Equal((JobState.Running, JobState.Failed), (change.From, change.To));
        Assert.Equivalent(cause, change.Cause);
    }

    [Fact]
    public void Only_scripts_write_changes_of_state() =>
        Assert.Throws<ArgumentException>(() => JobEventText.EncodePayload(new StateChangedBody(JobState.Queued, JobState.Running, null)));
}
