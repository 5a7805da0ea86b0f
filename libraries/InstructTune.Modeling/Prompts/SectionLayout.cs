using System.Text;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>Sections as ids: one beginning-of-text token if the model has one, an end-of-text token after every response.</summary>
internal sealed class SectionLayout(SectionFormat format, Tokenizer tokenizer) : IPromptLayout
{
    public IReadOnlyList<int> EndOfTurnIds => [];

    public int[] Response(string text) => tokenizer.EncodeContinuation(text);

    public RenderedPrompt Instruction(string instruction, string input, string? response)
    {
        PromptSegment prompt = new(format.RenderPrompt(instruction, input), IsResponse: false);
        return Encode(response is null ? [prompt] : [prompt, new(response, IsResponse: true)]);
    }

    public RenderedPrompt Conversation(IReadOnlyList<ChatTurn> turns, bool forAnswer)
    {
        var segments = format.RenderConversation(turns);
        return forAnswer && segments[^1].IsResponse
            ? throw new ConversationException(turns.Count - 1, "must have the role `user`: there is nothing to answer after an answer")
            : Encode(segments);
    }

    // Where the boundary between the tokens of a prompt and of its response is chosen: apart, or divided at the prompt's own count.
    private RenderedPrompt Encode(IReadOnlyList<PromptSegment> segments)
    {
        List<int> ids = tokenizer.BeginOfTextId is { } id ? [id] : [];
        List<bool> trained = [.. ids.Select(_ => false)];
        var text = new StringBuilder();
        for (var i = 0; i < segments.Count; i++)
        {
            var joined = format.Boundary == PromptBoundary.Joint && i + 1 < segments.Count && segments[i + 1].IsResponse;
            if (joined)
            {
                AddJoint(segments[i], segments[++i], i == 1, ids, trained);
                text.Append(segments[i - 1].Text).Append(segments[i].Text);
            }
            else
            {
                ids.AddRange(Apart(segments[i].Text, isFirst: i == 0));
                text.Append(segments[i].Text);
            }

            if (segments[i].IsResponse)
            {
                ids.Add(EndOfText);
                text.Append(Encoding.UTF8.GetString(tokenizer.TokenBytes(EndOfText)));
            }

            trained.AddRange(Enumerable.Repeat(segments[i].IsResponse && segments[i].IsTrained, ids.Count - trained.Count));
        }

        return new(BeginText + text, [.. ids], [.. trained]);
    }

    private void AddJoint(PromptSegment prompt, PromptSegment response, bool isFirst, List<int> ids, List<bool> trained)
    {
        var whole = Apart(prompt.Text + response.Text, isFirst);
        var promptLength = Math.Min(Apart(prompt.Text, isFirst).Length, whole.Length);
        ids.AddRange(whole);
        trained.AddRange(Enumerable.Repeat(element: false, promptLength));
    }

    private int[] Apart(string text, bool isFirst) => isFirst ? tokenizer.Encode(text) : tokenizer.EncodeContinuation(text);

    private string BeginText => tokenizer.BeginOfTextId is { } id ? Encoding.UTF8.GetString(tokenizer.TokenBytes(id)) : "";

    private int EndOfText => tokenizer.EndOfTextIds.Count > 0
        ? tokenizer.EndOfTextIds[0]
        : throw new InvalidOperationException("The tokenizer names no end-of-text token: set `eos_token` in tokenizer_config.json.");
}
