using CsCheck;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Unit.Tests.Modeling.Tokenization;

namespace InstructTune.Unit.Tests.Modeling.Prompts;

public sealed class PromptEncoderTests : IDisposable
{
    private readonly SmallTokenizer _files = SmallTokenizer.ByteLevel();
    private readonly Tokenizer _tokenizer;
    private readonly PromptEncoder _encoder;

    public PromptEncoderTests()
    {
        _tokenizer = _files.Load();
        _encoder = new PromptEncoder(PromptFormat.Get("alpaca"), _tokenizer);
    }

    public void Dispose() => _files.Dispose();

    [Fact]
    public void An_example_is_the_prompt_of_serving_and_then_the_trained_response_with_its_end() =>
        Gen.Select(Gen.String, Gen.String, Gen.String).Sample((instruction, input, output) =>
        {
            var example = _encoder.EncodeExample(instruction, input, output);
            var prompt = _encoder.EncodePrompt(instruction, input);
            Assert.Equal([.. prompt, .. _encoder.EncodeResponse(output), 1], example.Ids);
            Assert.Equal(example.Ids.Select((_, i) => i >= prompt.Length), example.Trained);
        });

    [Fact]
    public void Every_answer_of_a_conversation_is_trained_with_its_end()
    {
        ChatTurn[] turns = [new(ChatTurn.User, "a"), new(ChatTurn.Assistant, "cat"), new(ChatTurn.User, "b"), new(ChatTurn.Assistant, "hat")];
        var example = _encoder.EncodeExample(turns);
        var trained = example.Ids.Where((_, i) => example.Trained[i]);
        Assert.Equal([.. _tokenizer.EncodeContinuation("cat"), 1, .. _tokenizer.EncodeContinuation("hat"), 1], trained);
    }

    [Fact]
    public void The_prompt_of_a_conversation_is_how_its_training_example_begins()
    {
        ChatTurn[] turns = [new(ChatTurn.User, "a"), new(ChatTurn.Assistant, "cat"), new(ChatTurn.User, "b")];
        var example = _encoder.EncodeExample([.. turns, new(ChatTurn.Assistant, "hat")]);
        var prompt = _encoder.EncodePrompt(turns);
        Assert.Equal(prompt, example.Ids[..prompt.Length]);
    }

    [Fact]
    public void A_prompt_cannot_end_with_an_answer() =>
        Assert.Equal(1, Assert.Throws<ConversationException>(
            () => _encoder.EncodePrompt([new ChatTurn(ChatTurn.User, "a"), new ChatTurn(ChatTurn.Assistant, "b")])).Turn);

    [Fact]
    public void Special_tokens_in_texts_stay_text()
    {
        var example = _encoder.EncodeExample("<|end_of_text|>", "<|begin_of_text|>", "<|pad|>");
        Assert.Equal([0, 1], example.Ids.Where(_tokenizer.IsSpecial));
    }

    [Fact]
    public void A_raw_text_begins_with_one_token()
    {
        Assert.Equal([0, .. _tokenizer.Encode("the cat")], _encoder.EncodeRaw("the cat"));
    }

    [Fact]
    public void Spaces_before_a_continuation_belong_to_it()
    {
        var (context, continuation, _) = _encoder.EncodeJoint("the cat ", "sat");
        Assert.Equal(_encoder.EncodeRaw("the cat"), context);
        Assert.Equal(" sat", _tokenizer.Decode(continuation));
    }

    [Fact]
    public void A_continuation_of_nothing_follows_the_beginning_of_text()
    {
        var (context, continuation, _) = _encoder.EncodeJoint("", "the cat");
        Assert.Equal([0], context);
        Assert.Equal(_tokenizer.Encode("the cat"), continuation);
    }
}
