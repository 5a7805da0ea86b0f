using System.Text.Json;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Training;
using InstructTune.Numerics.Tests.Training;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Prompts;

/// <summary>Against ids and masks by LLaMA-Factory.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class LlamaFactoryMaskTests
{
    private const string Files = "llamafactory.*.jsonl";

    [Fact]
    public void Every_row_has_the_ids_and_the_labels_of_LLaMA_Factory()
    {
        var comparison = new MaskComparison("masks llamafactory");
        var inputs = ReferenceOutputs.JsonLines("masks", "rows.jsonl").Concat(ReferenceOutputs.JsonLines("masks", "conversations.jsonl"))
            .ToDictionary(row => row.GetProperty("id").GetString()!);
        foreach (var file in Directory.GetFiles(ReferenceOutputs.Folder("masks"), Files).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(file).Split('.')[1];
            var tokenizer = ReferenceTokenizer.Load(name);
            foreach (var expected in ReferenceOutputs.JsonLines("masks", Path.GetFileName(file)))
            {
                var loss = Loss(expected);
                var ids = ReferenceTokenizer.Ids(expected.GetProperty("ids"));
                comparison.Add(
                    $"{name} {expected.GetProperty("template").GetString()} {loss} {expected.GetProperty("row").GetString()}",
                    new EncodedExample(ids, ReferenceTokenizer.Marks(expected.GetProperty("trained"), ids.Length)),
                    Prepared(expected, inputs[expected.GetProperty("row").GetString()!], loss, tokenizer));
            }
        }

        comparison.AssertNone();
    }

    // What `mask_history` and `train_on_prompt` are there, the scope of the loss is here.
    private static LossTokens Loss(JsonElement expected) =>
        IsSet(expected, "mask_history") ? LossTokens.LastResponse : IsSet(expected, "train_on_prompt") ? LossTokens.All : LossTokens.Response;

    private static bool IsSet(JsonElement expected, string flag) => expected.TryGetProperty(flag, out var value) && value.GetBoolean();

    private static EncodedExample Prepared(JsonElement expected, JsonElement input, LossTokens loss, Tokenizer tokenizer)
    {
        var whole = Whole(expected.GetProperty("template").GetString()!, input, tokenizer);
        var (row, _) = new SequenceLimit(expected.GetProperty("cutoff_len").GetInt32(), TruncationRule.Proportional, loss)
            .Apply(whole.Ids, whole.Trained, keepFirst: false);
        return row is null ? new([], []) : new(row.Ids, row.Trained);
    }

    private static EncodedExample Whole(string template, JsonElement input, Tokenizer tokenizer)
    {
        var turns = Turns(input);
        if (turns.Any(turn => tokenizer.ControlTokens.Any(token => turn.Text.Contains(token, StringComparison.Ordinal))))
        {
            return LlamaFactoryRule.Spelled(template, tokenizer, turns);
        }

        var format = LlamaFactoryRule.Format(template);
        var encoder = new PromptEncoder(format, tokenizer);
        return format is PieceFormat && !input.TryGetProperty("messages", out _)
            ? encoder.EncodeExample(ReferenceTokenizer.Text(input, "instruction"), ReferenceTokenizer.Text(input, "input"), ReferenceTokenizer.Text(input, "output"))
            : encoder.EncodeExample(turns);
    }

    private static ChatTurn[] Turns(JsonElement input)
    {
        if (input.TryGetProperty("messages", out var messages))
        {
            return [.. messages.EnumerateArray().Select(m => new ChatTurn(m.GetProperty("role").GetString()!, m.GetProperty("content").GetString()!))];
        }

        var asked = new[] { ReferenceTokenizer.Text(input, "instruction"), ReferenceTokenizer.Text(input, "input") };
        return
        [
            new(ChatTurn.User, string.Join('\n', asked.Where(text => text.Length > 0))),
            new(ChatTurn.Assistant, ReferenceTokenizer.Text(input, "output")),
        ];
    }
}
