using InstructTune.Evaluation.Peers;
using InstructTune.Evaluation.Runs;
using InstructTune.Jobs;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Evaluation.Peers;

public sealed class QuestionMappingTests
{
    private const string Version = "datasets/d/versions/v";

    [Fact]
    public void The_output_is_one_of_the_references()
    {
        var example = new Example { Instruction = new Instruction { Instruction_ = "a", Input = "b" }, Output = "x", References = { "y", "x" }, Choices = { "x", "z" } };
        var question = QuestionMapping.ToQuestion(Version, 4, example);
        Assert.Equal((4, new InstructionPrompt("a", "b")), (question.Index, question.Prompt));
        Assert.Equal(["x", "y"], question.References);
        Assert.Equal(["x", "z"], question.Choices);
    }

    [Fact]
    public void An_output_that_is_missing_beside_references_is_no_answer() => Assert.Equal(
        ["y"], QuestionMapping.ToQuestion(Version, 0, new Example { RawPrompt = "a", References = { "y" } }).References);

    [Fact]
    public void The_last_turn_of_the_assistant_is_what_a_conversation_asks_for()
    {
        var example = new Example { Conversation = Turns(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")) };
        var question = QuestionMapping.ToQuestion(Version, 0, example);
        Assert.Equal("user: a\n\nassistant: b\n\nuser: c", question.Prompt.Readable);
        Assert.Equal(["d"], question.References);
    }

    [Fact]
    public void Plain_text_asks_nothing()
    {
        var exception = Assert.Throws<JobFailedException>(() => QuestionMapping.ToQuestion(Version, 3, new Example { Text = "a" }));
        Assert.Equal(("DATA_INVALID", "3"), (exception.Fault.Reason, exception.Fault.Metadata["example_index"]));
    }

    [Fact]
    public void Choices_are_scored_after_an_instruction_a_raw_prompt_or_one_turn()
    {
        Assert.Equal("a", Item(new Example { Instruction = new Instruction { Instruction_ = "a" } }).Instruction.Instruction_);
        Assert.Equal("a", Item(new Example { RawPrompt = "a" }).Prompt);
        Assert.Equal("a", Item(new Example { Conversation = Turns(("user", "a"), ("assistant", "b")) }).Instruction.Instruction_);
        Assert.Throws<JobFailedException>(() => Item(new Example { Conversation = Turns(("user", "a"), ("assistant", "b"), ("user", "c")) }));
    }

    private static ScoreRequest.Types.Item Item(Example example) =>
        PromptMapping.ToScoreItem(QuestionMapping.ToQuestion(Version, 0, example), "choice");

    private static Conversation Turns(params (string Role, string Text)[] turns)
    {
        var conversation = new Conversation();
        conversation.Turns.Add(turns.Select(turn => new Conversation.Types.Turn { Role = turn.Role, Text = turn.Text }));
        return conversation;
    }
}
