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

    private int EndOfText => tokenizer.EndOfTextIds[0];

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
