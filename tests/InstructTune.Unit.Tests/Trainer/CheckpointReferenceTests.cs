using InstructTune.Trainer.Checkpoints;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class CheckpointReferenceTests
{
    [Fact]
    public void A_reference_survives_its_text()
    {
        var reference = new CheckpointReference(2, 120, new string('a', 64));
        Assert.Equal("attempt-2/step-00000120", reference.Path);
        Assert.Equal("a2-s120", reference.Id);
        Assert.Equal(reference, CheckpointReference.Parse(reference.ToString()));
    }

    [Fact]
    public void No_text_is_no_checkpoint() => Assert.Null(CheckpointReference.Parse(""));

    [Theory]
    [InlineData("../x@aa")]
    [InlineData("attempt-1/step-1@aa")]
    [InlineData("attempt-1/../step-00000001@0000000000000000000000000000000000000000000000000000000000000000")]
    public void Other_texts_are_refused(string text) => Assert.Throws<FormatException>(() => CheckpointReference.Parse(text));
}
