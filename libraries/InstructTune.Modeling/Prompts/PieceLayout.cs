using System.Text;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>Pieces as ids, one after another.</summary>
internal sealed class PieceLayout(PieceFormat format, Tokenizer tokenizer) : IPromptLayout
{
    public IReadOnlyList<int> EndOfTurnIds => [];

    public int[] Response(string text) => tokenizer.Encode(text);

    public RenderedPrompt Instruction(string instruction, string input, string? response)
    {
        ChatTurn user = new(ChatTurn.User, PieceFormat.TurnOf(instruction, input));
        return Conversation(response is null ? [user] : [user, new(ChatTurn.Assistant, response)], forAnswer: response is null);
    }

    public RenderedPrompt Conversation(IReadOnlyList<ChatTurn> turns, bool forAnswer)
    {
        ConversationOrder.Check(turns);
        if (forAnswer && turns[^1].Role == ChatTurn.Assistant)
        {
            throw new ConversationException(turns.Count - 1, "must have the role `user`: there is nothing to answer after an answer");
        }

        Piece[] pieces = [.. Pieces(turns)];
        return new(
            string.Concat(pieces.Select(piece => piece.Text)),
            [.. pieces.SelectMany(piece => piece.Ids)],
            [.. pieces.SelectMany(piece => Enumerable.Repeat(piece.IsTrained, piece.Ids.Length))]);
    }

    private IEnumerable<Piece> Pieces(IReadOnlyList<ChatTurn> turns)
    {
        var system = turns[0].Role == ChatTurn.System ? turns[0].Text : "";
        yield return Of(system.Length > 0 ? system : format.Preamble);
        foreach (var turn in turns)
        {
            if (turn.Role == ChatTurn.User)
            {
                yield return Of(PromptTemplate.Fill(format.UserTurn, ("{text}", turn.Text)));
            }
            else if (turn.Role == ChatTurn.Assistant)
            {
                var trained = turn.Trained ?? true;
                yield return Of(turn.Text, trained);
                yield return new(Encoding.UTF8.GetString(tokenizer.TokenBytes(EndOfText)), [EndOfText], trained);
                yield return Of(format.AfterResponse, trained);
            }
        }
    }

    private Piece Of(string text, bool isTrained = false) => new(text, tokenizer.Encode(text), isTrained);

    private int EndOfText => tokenizer.EndOfTextIds.Count > 0
        ? tokenizer.EndOfTextIds[0]
        : throw new InvalidOperationException("The tokenizer names no end-of-text token: set `eos_token` in tokenizer_config.json.");

    private sealed record Piece(string Text, int[] Ids, bool IsTrained);
}
