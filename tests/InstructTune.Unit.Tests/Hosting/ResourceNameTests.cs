using CsCheck;
using InstructTune.Hosting;

namespace InstructTune.Unit.Tests.Hosting;

public sealed class ResourceNameTests
{
    [Fact]
    public void A_name_is_taken_apart_by_its_pattern() =>
        Assert.Equal(["support", "3"], ResourceName.Parse("models/{model}/versions/{version}", "models/support/versions/3", "name"));

    [Theory]
    [InlineData("")]
    [InlineData("models/support")]
    [InlineData("models//versions/3")]
    [InlineData("datasets/support/versions/3")]
    [InlineData("models/support/versions/3/")]
    [InlineData("models/../versions/3")]
    [InlineData("models/a b/versions/3")]
    public void A_name_of_another_form_is_refused_by_field(string name)
    {
        var refused = Assert.Throws<DomainException>(() => ResourceName.Parse("models/{model}/versions/{version}", name, "name"));
        Assert.Equal("name", Assert.Single(refused.Violations).Field);
    }

    [Fact]
    public void No_segment_that_is_accepted_can_leave_a_folder() => Gen.String.Sample(segment =>
    {
        if (ResourceName.TryParse("models/{model}", "models/" + segment, out var variables))
        {
            var root = Path.GetFullPath("/root-of-store");
            Assert.Equal(root, Path.GetDirectoryName(Path.GetFullPath(Path.Combine(root, variables[0]))));
        }
    });
}
