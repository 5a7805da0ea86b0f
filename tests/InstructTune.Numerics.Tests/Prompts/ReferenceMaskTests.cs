using System.Text.Json;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Training;
using InstructTune.Numerics.Tests.Training;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Prompts;

/// <summary>Against ids and masks of the Alpaca template by other programs.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class ReferenceMaskTests
{
    private const int Limit = 512;

    private static readonly (string Name, TruncationRule Rule)[] _policies =
    [
        ("truncate_prompt_left", TruncationRule.PromptStart), ("truncate_right", TruncationRule.End), ("proportional", TruncationRule.Proportional),
    ];

    [Fact]
    public void Every_row_split_gives_the_reference_ids_and_trained_tokens() => Compare("masks alpaca split", (row, expected, tokenizer) =>
    {
        var split = expected.GetProperty("split");
        var ids = split.GetProperty("ids") is { ValueKind: JsonValueKind.Array } own ? own : expected.GetProperty("joint").GetProperty("ids");
        return (Expected(ids, split.GetProperty("trained")), Encode(row, tokenizer, PromptBoundary.Split));
    });

    // A row that spells control tokens becomes them in the reference, and never here: there Stanford's rule is applied to the tokens as the reference reads them.
    [Fact]
    public void Every_row_joint_gives_the_ids_and_trained_tokens_of_Stanfords_rule() => Compare("masks alpaca joint", (row, expected, tokenizer) =>
        (Expected(expected.GetProperty("joint").GetProperty("ids"), expected.GetProperty("joint").GetProperty("trained")), Joint(row, tokenizer)));

    [Fact]
    public void Every_row_joint_is_cut_at_its_end_as_Stanford_cuts_it() => Compare("masks alpaca joint 512", (row, expected, tokenizer) =>
    {
        var whole = Joint(row, tokenizer);
        var cut = expected.GetProperty("joint_512");
        var (kept, fate) = new SequenceLimit(Limit, TruncationRule.End, LossTokens.Response).Apply(whole.Ids, whole.Trained, keepFirst: true);
        var marks = ReferenceTokenizer.Marks(cut.GetProperty("trained"), cut.GetProperty("tokens").GetInt32());
        return marks.Contains(value: true)
            ? (new(whole.Ids[..marks.Length], marks), new(kept!.Ids, kept.Trained))
            : (new([], []), fate == RowFate.NoTrainedToken ? new([], []) : new([-1], [false]));
    });

    [Fact]
    public void Every_policy_keeps_as_many_tokens_of_prompt_and_target_as_the_reference()
    {
        var comparison = new MaskComparison("masks policies");
        ForEachRow((name, row, expected, tokenizer) =>
        {
            var whole = Encode(row, tokenizer, PromptBoundary.Split);
            foreach (var (policy, rule) in _policies)
            {
                comparison.Add($"{name} {policy}", Kept(expected.GetProperty("split_512"), policy, rule, whole));
            }

            var fits = whole.Ids.Length <= Limit;
            foreach (var (rule, fate) in new[] { (TruncationRule.Drop, RowFate.OverLengthDropped), (TruncationRule.Fail, RowFate.Refused) })
            {
                var (kept, found) = new SequenceLimit(Limit, rule, LossTokens.Response).Apply(whole.Ids, whole.Trained, keepFirst: true);
                comparison.Add($"{name} {rule}", (fits ? kept is not null && found == RowFate.Whole : kept is null && found == fate) ? null : $"{found}");
            }
        });
        comparison.AssertNone();
    }

    private static string? Kept(JsonElement expected, string policy, TruncationRule rule, EncodedExample whole)
    {
        var (kept, fate) = new SequenceLimit(Limit, rule, LossTokens.Response).Apply(whole.Ids, whole.Trained, keepFirst: true);
        if (!expected.TryGetProperty(policy, out var counts))
        {
            return kept is not null && kept.Ids.AsSpan().SequenceEqual(whole.Ids) ? null : $"{fate}, although the row fits";
        }

        if (counts.ValueKind == JsonValueKind.String)
        {
            return kept is null && fate == RowFate.OverLengthDropped ? null : $"{fate}, although {counts}";
        }

        var (prompt, target) = (counts.GetProperty("prompt_kept").GetInt32(), counts.GetProperty("target_kept").GetInt32());
        if (target == 0)
        {
            return kept is null && fate == RowFate.NoTrainedToken ? null : $"{fate}, although nothing of the target is left";
        }

        return kept is not null && kept.Trained.Count(t => t) == target && kept.Ids.Length == prompt + target
            ? null
            : $"{kept?.Ids.Length} tokens, {kept?.Trained.Count(t => t)} of the target, in place of {prompt} and {target}";
    }

    private static void Compare(string family, Func<JsonElement, JsonElement, Tokenizer, (EncodedExample Expected, EncodedExample Found)> pair)
    {
        var comparison = new MaskComparison(family);
        ForEachRow((name, row, expected, tokenizer) =>
        {
            var (wanted, found) = pair(row, expected, tokenizer);
            comparison.Add(name, wanted, found);
        });
        comparison.AssertNone();
    }

    private static void ForEachRow(Action<string, JsonElement, JsonElement, Tokenizer> action)
    {
        var rows = ReferenceOutputs.JsonLines("masks", "rows.jsonl").ToDictionary(r => r.GetProperty("id").GetString()!);
        foreach (var name in ReferenceTokenizer.Names)
        {
            var tokenizer = ReferenceTokenizer.Load(name);
            foreach (var expected in ReferenceOutputs.JsonLines("masks", $"alpaca.{name}.jsonl"))
            {
                var id = expected.GetProperty("row").GetString()!;
                action($"{name} {id}", rows[id], expected, tokenizer);
            }
        }
    }

    private static EncodedExample Expected(JsonElement ids, JsonElement trained)
    {
        var list = ReferenceTokenizer.Ids(ids);
        return new(list, ReferenceTokenizer.Marks(trained, list.Length));
    }

    private static EncodedExample Encode(JsonElement row, Tokenizer tokenizer, PromptBoundary boundary) =>
        new PromptEncoder(PromptFormat.For("alpaca", tokenizer, boundary), tokenizer)
            .EncodeExample(ReferenceTokenizer.Text(row, "instruction"), ReferenceTokenizer.Text(row, "input"), ReferenceTokenizer.Text(row, "output"));

    private static EncodedExample Joint(JsonElement row, Tokenizer tokenizer) =>
        tokenizer.ControlTokens.Any(token => row.GetRawText().Contains(JsonEncodedText.Encode(token, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(), StringComparison.Ordinal))
            ? SpellingRule.Stanford(tokenizer, ((SectionFormat)PromptFormat.Get("alpaca")).RenderPrompt(ReferenceTokenizer.Text(row, "instruction"), ReferenceTokenizer.Text(row, "input")), ReferenceTokenizer.Text(row, "output"))
            : Encode(row, tokenizer, PromptBoundary.Joint);
}
