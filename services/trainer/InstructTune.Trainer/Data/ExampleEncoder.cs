using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.Peers;

namespace InstructTune.Trainer.Data;

/// <summary>Examples as rows to train on; a pure function of the example, the tokenizer and the stage's limits.</summary>
internal sealed class ExampleEncoder(PromptEncoder prompts, Tokenizer tokenizer, SequenceLimit limit)
{
    /// <summary>The rows of an example, or the reason why there are none.</summary>
    public (IReadOnlyList<TokenizedExample> Rows, RowFate Fate) Encode(SourceExample example) => example switch
    {
        InstructionExample instruction => Limited(prompts.EncodeExample(instruction.Instruction, instruction.Input, instruction.Output)),
        ConversationExample conversation => Limited(prompts.EncodeExample([.. conversation.Turns.Select(turn => new ChatTurn(turn.Role, turn.Text, turn.Trained))])),
        PromptExample prompt => Limited(Join(prompts.EncodeRaw(prompt.Prompt), [.. prompts.EncodeResponse(prompt.Output), EndOfText])),
        TextExample text => Whole([.. prompts.EncodeRaw(text.Text), EndOfText]),
        _ => throw new InvalidOperationException($"no rule for {example.GetType().Name}"),
    };

    /// <summary>What to ask a model that is validated on the example; null for a text, which answers nothing.</summary>
    public Question? QuestionOf(SourceExample example) => example switch
    {
        InstructionExample instruction => Ask(prompts.EncodePrompt(instruction.Instruction, instruction.Input), instruction.Output),
        PromptExample prompt => Ask(prompts.EncodeRaw(prompt.Prompt), prompt.Output),
        ConversationExample { Turns: [.., { } last] turns } when last.Role is "assistant" =>
            Ask(prompts.EncodePrompt([.. turns.SkipLast(1).Select(turn => new ChatTurn(turn.Role, turn.Text, turn.Trained))]), last.Text),
        _ => null,
    };

    /// <summary>An answer as text.</summary>
    public string Decode(int[] answer) => tokenizer.Decode(answer);

    /// <summary>What ends an answer.</summary>
    public IReadOnlyList<int> EndIds => prompts.EndIds;

    private int EndOfText => tokenizer.EndOfTextIds[0];

    // A prompt that leaves no room for an answer is no question.
    private Question? Ask(int[] prompt, string reference) =>
        prompt.Length < limit.MaxTokens ? new Question(prompt, reference, prompts.EncodeResponse(reference).Length) : null;

    private static EncodedExample Join(int[] prompt, int[] response) =>
        new([.. prompt, .. response], [.. prompt.Select(_ => false), .. response.Select(_ => true)]);

    private (IReadOnlyList<TokenizedExample> Rows, RowFate Fate) Limited(EncodedExample example)
    {
        var (row, fate) = limit.Apply(example.Ids, example.Trained, keepFirst: tokenizer.BeginOfTextId is not null);
        return (row is null ? [] : [row], fate);
    }

    private (IReadOnlyList<TokenizedExample> Rows, RowFate Fate) Whole(int[] ids)
    {
        var rows = limit.Windows(ids).ToArray();
        return (rows, rows.Length == 0 ? RowFate.NoTrainedToken : RowFate.Whole);
    }
}
