using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Numerics.Tests.Prompts;

/// <summary>
/// LLaMA-Factory's own templates of the Llama models, as chat templates; and how it reads a conversation whose texts spell control tokens,
/// which nothing of the product does with text of users.
/// </summary>
internal static class LlamaFactoryRule
{
    private const string Llama2 =
        "{%- set ns = namespace(system='') -%}{%- for m in messages -%}"
        + "{%- if m.role == 'system' -%}{%- set ns.system = '<<SYS>>\\n' ~ m.content ~ '\\n<</SYS>>\\n\\n' -%}"
        + "{%- elif m.role == 'user' -%}{{ bos_token ~ '[INST] ' ~ ns.system ~ m.content ~ ' [/INST]' }}{%- set ns.system = '' -%}"
        + "{%- else -%}{%- generation -%}{{ (' ' ~ m.content if m.content else '') ~ eos_token }}{%- endgeneration -%}{%- endif -%}{%- endfor -%}";

    private const string Llama3 =
        "{{ bos_token }}{%- for m in messages -%}{{ '<|start_header_id|>' ~ m.role ~ '<|end_header_id|>\\n\\n' }}"
        + "{%- if m.role == 'assistant' -%}{%- generation -%}{{ m.content ~ '<|eot_id|>' }}{%- endgeneration -%}"
        + "{%- else -%}{{ m.content ~ '<|eot_id|>' }}{%- endif -%}{%- endfor -%}"
        + "{%- if add_generation_prompt -%}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif -%}";

    public static PromptFormat Format(string template) => template switch
    {
        "alpaca" => PromptFormat.Get("alpaca_lf"),
        "llama2" => new ChatFormat { Name = template, Template = Llama2 },
        "llama3" => new ChatFormat { Name = template, Template = Llama3 },
        _ => throw new ArgumentException($"no format for the template {template}", nameof(template)),
    };

    public static EncodedExample Spelled(string template, Tokenizer tokenizer, IReadOnlyList<ChatTurn> turns)
    {
        var ids = new List<int>();
        var trained = new List<bool>();
        foreach (var (text, isAnswer) in Pieces(template, tokenizer, turns))
        {
            ids.AddRange(tokenizer.Encode(text, parseSpecial: true));
            trained.AddRange(Enumerable.Repeat(isAnswer, ids.Count - trained.Count));
        }

        return new([.. ids], [.. trained]);
    }

    private static IEnumerable<(string Text, bool IsAnswer)> Pieces(string template, Tokenizer tokenizer, IReadOnlyList<ChatTurn> turns)
    {
        var alpaca = (PieceFormat)PromptFormat.Get("alpaca_lf");
        var begin = tokenizer.NamedTokens["bos_token"];
        var system = turns[0].Role == ChatTurn.System ? turns[0].Text : "";
        yield return (template switch
        {
            "alpaca" => system.Length > 0 ? system : alpaca.Preamble,
            "llama3" => begin + (system.Length > 0 ? $"<|start_header_id|>system<|end_header_id|>\n\n{system}<|eot_id|>" : ""),
            _ => "",
        }, false);
        foreach (var turn in turns.Where(turn => turn.Role != ChatTurn.System))
        {
            var first = ReferenceEquals(turn, turns.First(t => t.Role == ChatTurn.User)) && system.Length > 0;
            var pieces = (template, turn.Role) switch
            {
                ("alpaca", ChatTurn.User) => [alpaca.UserTurn.Replace("{text}", turn.Text, StringComparison.Ordinal)],
                ("alpaca", _) => [turn.Text, SpellingRule.End(tokenizer), alpaca.AfterResponse],
                ("llama2", ChatTurn.User) => [begin, $"[INST] {(first ? $"<<SYS>>\n{system}\n<</SYS>>\n\n" : "")}{turn.Text} [/INST]"],
                ("llama2", _) => [turn.Text, SpellingRule.End(tokenizer)],
                (_, ChatTurn.User) => [$"<|start_header_id|>user<|end_header_id|>\n\n{turn.Text}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"],
                _ => (string[])[turn.Text + "<|eot_id|>"],
            };
            foreach (var piece in pieces)
            {
                yield return (piece, turn.Role == ChatTurn.Assistant);
            }
        }
    }
}
