using System.Text.RegularExpressions;
using CsCheck;
using InstructTune.Cli.CommandLine;

namespace InstructTune.Unit.Tests.Cli.CommandLine;

public sealed partial class NamesTests
{
    [Theory]
    [InlineData("tiny", "models/tiny/versions/latest")]
    [InlineData("tiny@2", "models/tiny/versions/2")]
    [InlineData("models/tiny", "models/tiny/versions/latest")]
    [InlineData("models/tiny/versions/3", "models/tiny/versions/3")]
    public void A_model_may_be_named_shortly(string text, string expected) => Assert.Equal(expected, Names.ModelVersion(text));

    [Theory]
    [InlineData("lima", "datasets/lima")]
    [InlineData("lima@0123", "datasets/lima/versions/0123")]
    [InlineData("datasets/lima", "datasets/lima")]
    public void A_dataset_without_version_stays_without(string text, string expected) => Assert.Equal(expected, Names.Dataset(text));

    [Theory]
    [InlineData("")]
    [InlineData("datasets/lima")]
    [InlineData("somewhere/else")]
    public void A_name_of_another_kind_is_refused(string text)
    {
        var failure = Assert.Throws<CliException>(() => Names.ModelVersion(text));
        Assert.Equal(ExitCode.Usage, failure.ExitCode);
    }

    [Theory]
    [InlineData("datasets/lima/versions/01", "lima@01")]
    [InlineData("fineTuneJobs/first", "first")]
    [InlineData("fineTuneJobs/first/checkpoints/a1-s2", "fineTuneJobs/first/checkpoints/a1-s2")]
    public void The_short_form_is_what_may_be_typed(string name, string expected) => Assert.Equal(expected, Names.Short(name));

    [Theory]
    [InlineData("my.jsonl", true)]
    [InlineData("./folder", true)]
    [InlineData("a/b", true)]
    [InlineData("lima", false)]
    [InlineData("lima@0123", false)]
    [InlineData("datasets/lima", false)]
    public void A_path_is_told_from_a_name(string text, bool isPath) => Assert.Equal(isPath, Names.IsPath(text));

    [Theory]
    [InlineData("/data/My Data (v2).jsonl", "my-data-v2")]
    [InlineData("2024-reviews.json", "d-2024-reviews")]
    [InlineData("models/world-base/", "world-base")]
    public void An_id_is_made_from_a_file_name(string path, string expected) => Assert.Equal(expected, Names.IdFrom(path));

    [Fact]
    public void Every_file_name_gives_an_id_that_the_server_takes() =>
        Gen.String.Where(name => !name.Contains('\0')).Sample(name => Assert.Matches(Id(), Names.IdFrom(name)));

    [GeneratedRegex("^[a-z][a-z0-9-]{2,62}$")]
    private static partial Regex Id();
}
