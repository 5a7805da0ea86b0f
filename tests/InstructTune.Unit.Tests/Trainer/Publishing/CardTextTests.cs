using InstructTune.Trainer.Publishing;

namespace InstructTune.Unit.Tests.Trainer.Publishing;

public sealed class CardTextTests
{
    [Theory]
    [InlineData("base@1", "base@1")]
    [InlineData("12", "\"12\"")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("", "\"\"")]
    [InlineData("a: b", "\"a: b\"")]
    [InlineData("a \"b\"", "\"a \\\"b\\\"\"")]
    [InlineData("base_model:adapter:x", "\"base_model:adapter:x\"")]
    public void What_YAML_could_read_as_something_else_is_quoted(string value, string expected) => Assert.Equal(expected, CardText.Scalar(value));

    [Fact]
    public void Cells_of_a_table_keep_their_borders() => Assert.Equal(
        "| a |\n| --- |\n| x \\| y z |\n", new CardText().Table(["a"], [["x | y\nz"]]).ToString());
}
