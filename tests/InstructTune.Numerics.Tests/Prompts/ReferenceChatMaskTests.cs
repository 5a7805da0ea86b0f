using System.Text.Json;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Training;
using InstructTune.Numerics.Tests.Training;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Prompts;

/// <summary>Against ids and masks of conversations by transformers and TRL.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class ReferenceChatMaskTests
{
    private const int ChatLimit = 1024;

    [Fact]
    public void Every_conversation_gives_the_ids_and_the_assistant_mask_of_transformers()
    {
        var comparison = new MaskComparison("masks hf assistant");
        ForEach("hf_assistant_mask", (name, row, tokenizer) =>
        {
            var rendered = Joint(tokenizer).Render(Turns(Conversations[row.GetProperty("row").GetString()!]));
            var ids = ReferenceTokenizer.Ids(row.GetProperty("ids"));
            comparison.Add(name, new EncodedExample(ids, ReferenceTokenizer.Marks(row.GetProperty("trained"), ids.Length)), rendered.Example);
            comparison.Add(name + " text", row.GetProperty("text").GetString() == rendered.Text ? null : "the texts differ");
        });
        comparison.AssertNone();
    }

    [Fact]
    public void Control_tokens_that_users_spell_stay_text_as_in_transformers()
    {
        var comparison = new MaskComparison("masks special text");
        ForEach("special_text", (name, row, tokenizer) =>
        {
            var turns = Turns(row);
            var rendered = Joint(tokenizer).Render(turns);
            comparison.Add(name + " sanitised", IdsOnly(row.GetProperty("sanitised_ids")), rendered.Example with { Trained = [] });
            var plain = tokenizer.Encode(rendered.Text, parseSpecial: true);
            comparison.Add(name + " plain", IdsOnly(row.GetProperty("plain_ids")), new EncodedExample(plain, []));
        });
        comparison.AssertNone();
    }

    [Fact]
    public void Every_set_that_TRL_prepared_has_its_ids_and_labels()
    {
        var comparison = new MaskComparison("masks trl");
        var rows = ReferenceOutputs.JsonLines("masks", "rows.jsonl").ToDictionary(r => r.GetProperty("id").GetString()!);
        foreach (var tokenizerName in ReferenceTokenizer.Names)
        {
            var tokenizer = ReferenceTokenizer.Load(tokenizerName);
            var unlimited = new Dictionary<string, EncodedExample>(StringComparer.Ordinal);
            foreach (var expected in ReferenceOutputs.JsonLines("masks", $"trl.{tokenizerName}.jsonl").OrderByDescending(r => r.GetProperty("set").GetString()!.EndsWith("unlimited", StringComparison.Ordinal)))
            {
                var set = expected.GetProperty("set").GetString()!;
                foreach (var (id, wanted) in Wanted(expected, unlimited))
                {
                    var found = Prepared(set, id, rows, tokenizer);
                    comparison.Add($"{tokenizerName} {set} {id}", wanted ?? new([], []), found ?? new([], []));
                    if (set.EndsWith("unlimited", StringComparison.Ordinal) && wanted is not null)
                    {
                        unlimited[id] = wanted;
                    }
                }
            }
        }

        comparison.AssertNone();
    }

    // A row of null was thrown away by TRL.
    private static IEnumerable<(string Id, EncodedExample? Row)> Wanted(JsonElement expected, Dictionary<string, EncodedExample> unlimited)
    {
        if (expected.TryGetProperty("dropped_rows", out var dropped))
        {
            return dropped.EnumerateArray().Select(id => (id.GetString()!, (EncodedExample?)null));
        }

        var row = expected.GetProperty("row").GetString()!;
        var ids = expected.GetProperty("ids");
        int[] list = ids.ValueKind == JsonValueKind.Array ? ReferenceTokenizer.Ids(ids)
            : expected.GetProperty("set").GetString()!.Contains("keep_end", StringComparison.Ordinal) ? unlimited[row].Ids[^Math.Min(512, unlimited[row].Ids.Length)..]
            : unlimited[row].Ids[..Math.Min(512, unlimited[row].Ids.Length)];
        return [(row, new EncodedExample(list, ReferenceTokenizer.Marks(expected.GetProperty("trained"), list.Length)))];
    }

    private static EncodedExample? Prepared(string set, string id, Dictionary<string, JsonElement> rows, Tokenizer tokenizer)
    {
        if (Conversations.TryGetValue(id, out var conversation))
        {
            var rendered = set.StartsWith("chat_prompt", StringComparison.Ordinal)
                ? PromptAndCompletion(tokenizer, Turns(conversation))
                : Joint(tokenizer).Render(Turns(conversation)).Example;
            var scope = set.Contains("all_tokens", StringComparison.Ordinal) ? LossTokens.All : LossTokens.Response;
            var (row, _) = new SequenceLimit(ChatLimit, TruncationRule.End, scope).Apply(rendered.Ids, rendered.Trained, keepFirst: true);
            return row is null ? null : new(row.Ids, row.Trained);
        }

        var format = (SectionFormat)PromptFormat.Get("alpaca");
        var prompt = format.RenderPrompt(ReferenceTokenizer.Text(rows[id], "instruction"), ReferenceTokenizer.Text(rows[id], "input"));
        var whole = SpellingRule.Trl(tokenizer, prompt, ReferenceTokenizer.Text(rows[id], "output"));
        if (set.EndsWith("keep_end", StringComparison.Ordinal) && whole.Ids.Length > 512)
        {
            whole = new(whole.Ids[^512..], whole.Trained[^512..]);
        }

        var all = set.StartsWith("text", StringComparison.Ordinal);
        var (kept, _) = new SequenceLimit(set.EndsWith("unlimited", StringComparison.Ordinal) ? int.MaxValue : 512, TruncationRule.End, all ? LossTokens.All : LossTokens.Response)
            .Apply(whole.Ids, whole.Trained, keepFirst: true);
        return kept is null ? null : new(kept.Ids, kept.Trained);
    }

    // Everything but the last answer is the prompt; what its tokens have in common with the whole is masked.
    private static EncodedExample PromptAndCompletion(Tokenizer tokenizer, ChatTurn[] turns)
    {
        var whole = Joint(tokenizer).Render(turns).Ids;
        var masked = whole.AsSpan().CommonPrefixLength(Joint(tokenizer).EncodePrompt(turns[..^1]));
        return new(whole, [.. whole.Select((_, i) => i >= masked)]);
    }

    private static Dictionary<string, JsonElement> Conversations { get; } =
        ReferenceOutputs.JsonLines("masks", "conversations.jsonl").ToDictionary(row => row.GetProperty("id").GetString()!);

    private static EncodedExample IdsOnly(JsonElement ids) => new(ReferenceTokenizer.Ids(ids), []);

    private static PromptEncoder Joint(Tokenizer tokenizer) => new(PromptFormat.For(PromptFormat.ModelName, tokenizer, PromptBoundary.Joint), tokenizer);

    private static ChatTurn[] Turns(JsonElement row) =>
    [
        .. row.GetProperty("messages").EnumerateArray().Select(m => new ChatTurn(m.GetProperty("role").GetString()!, m.GetProperty("content").GetString()!)),
    ];

    private static void ForEach(string file, Action<string, JsonElement, Tokenizer> action)
    {
        foreach (var name in ReferenceTokenizer.Names)
        {
            var tokenizer = ReferenceTokenizer.Load(name);
            foreach (var row in ReferenceOutputs.JsonLines("masks", $"{file}.{name}.jsonl"))
            {
                action($"{name} {row.GetProperty("row").GetString()}", row, tokenizer);
            }
        }
    }
}
