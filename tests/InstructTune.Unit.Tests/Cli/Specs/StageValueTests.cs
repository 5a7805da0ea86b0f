using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Specs;

namespace InstructTune.Unit.Tests.Cli.Specs;

public sealed class StageValueTests
{
    private static readonly string[] Stages = ["generalist", "specialist"];

    [Fact]
    public void One_number_is_for_every_stage() => Assert.Equal(3, StageValue.For<int>("3", "specialist", Stages, "--epochs"));

    [Fact]
    public void Each_stage_takes_its_own_number()
    {
        Assert.Equal(1.5, StageValue.For<double>("generalist=1.5,specialist=3", "generalist", Stages, "--epochs"));
        Assert.Equal(3, StageValue.For<double>("generalist=1.5,specialist=3", "specialist", Stages, "--epochs"));
    }

    [Fact]
    public void A_stage_that_is_not_named_keeps_the_default() =>
        Assert.Null(StageValue.For<int>("generalist=1", "specialist", Stages, "--epochs"));

    [Theory]
    [InlineData("genralist=1")]
    [InlineData("many")]
    [InlineData("-1")]
    [InlineData("generalist=x")]
    public void What_is_no_number_or_no_stage_is_refused(string text)
    {
        var failure = Assert.Throws<CliException>(() => StageValue.For<int>(text, "generalist", Stages, "--epochs"));
        Assert.StartsWith("--epochs", failure.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, failure.ExitCode);
    }
}
