using System.Security.Cryptography;
using System.Text;
using CsCheck;
using InstructTune.Modeling.Prompts;

namespace InstructTune.Unit.Tests.Modeling.Prompts;

public sealed class PromptFormatTests
{
    private static readonly SectionFormat Alpaca = (SectionFormat)PromptFormat.Get("alpaca");

    [Fact]
    public void The_template_with_input_is_Stanfords_byte_for_byte()
    {
        Assert.Equal(224, Alpaca.WithInput.Length);
        Assert.Equal("28811e9850d9511bab334d167a03a8a37614535fdb28d645492efac8e9951c0f", Digest(Alpaca.WithInput));
    }

    [Fact]
    public void The_template_without_input_is_Stanfords_byte_for_byte()
    {
        Assert.Equal(152, Alpaca.WithoutInput.Length);
        Assert.Equal("35101bc36d10997c7d926d8f21f7d173aec6523f3a57d78821b944a89925cdca", Digest(Alpaca.WithoutInput));
    }

    [Theory]
    [InlineData("Add the numbers.", "2 3", "8c35956a22ded908d75a53bf4e766afab57cb51609b22dc5093f2b9fc8a7ae57")]
    [InlineData("Translate to French.", "cat", "70367b79ce10784444d21f98ac5e5827e7bb4b1f3439da2a56f0cf8c6380d2d5")]
    [InlineData("Say hi.", "", "9ec1f75f41c91cffea16ffaca6311f67974f09629856bf6172b7c1ba55373c49")]
    public void A_rendering_has_its_golden_digest(string instruction, string input, string sha256) =>
        Assert.Equal(sha256, Digest(Alpaca.RenderPrompt(instruction, input)));

    [Fact]
    public void A_single_space_counts_as_input() =>
        Assert.Contains("### Input:\n \n\n", Alpaca.RenderPrompt("Say hi.", " "), StringComparison.Ordinal);

    [Fact]
    public void Text_that_spells_a_place_is_not_filled_again()
    {
        Assert.Contains("### Instruction:\n{input}\n\n### Input:\nx\n\n", Alpaca.RenderPrompt("{input}", "x"), StringComparison.Ordinal);
        Assert.Contains("### Input:\n{instruction}\n\n", Alpaca.RenderPrompt("y", "{instruction}"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_conversation_of_one_turn_is_the_prompt_without_input() =>
        Gen.String.Sample(text => Assert.Equal(
            [new PromptSegment(Alpaca.RenderPrompt(text, ""), IsResponse: false)],
            Alpaca.RenderConversation([new(ChatTurn.User, text)])));

    [Fact]
    public void Turns_become_sections_oldest_first()
    {
        var segments = Alpaca.RenderConversation(
            [new(ChatTurn.System, "Be brief."), new(ChatTurn.User, "a"), new(ChatTurn.Assistant, "b"), new(ChatTurn.User, "c")]);
        Assert.Equal(
            [
                new("Be brief.\n\n### Instruction:\na\n\n### Response:", IsResponse: false),
                new("b", IsResponse: true),
                new("\n\n### Instruction:\nc\n\n### Response:", IsResponse: false),
            ],
            segments);
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "system")]
    [InlineData(0, "assistant")]
    [InlineData(1, "user,user")]
    [InlineData(1, "user,system")]
    [InlineData(2, "user,assistant,assistant")]
    [InlineData(0, "tool")]
    public void A_turn_out_of_order_is_named(int turn, string roles)
    {
        var turns = roles.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(r => new ChatTurn(r, "text")).ToList();
        Assert.Equal(turn, Assert.Throws<ConversationException>(() => Alpaca.RenderConversation(turns)).Turn);
    }

    [Fact]
    public void The_digest_changes_with_the_definition()
    {
        Assert.Equal(64, Alpaca.Sha256.Length);
        Assert.NotEqual(Alpaca.Sha256, (Alpaca with { WithInput = Alpaca.WithInput + " " }).Sha256);
        Assert.NotEqual(Alpaca.Sha256, (Alpaca with { Boundary = PromptBoundary.Joint }).Sha256);
    }

    [Fact]
    public void An_unknown_format_is_refused_with_the_known_ones() =>
        Assert.Contains("alpaca", Assert.Throws<ArgumentException>(() => PromptFormat.Get("vicuna")).Message, StringComparison.Ordinal);

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
