namespace InstructTune.Modeling.Prompts;

/// <summary>Formats of well-known families, written for training: what the model writes stands in `generation` blocks.</summary>
internal static class ChatFormats
{
    private const string OnlyThree = "{%- if m.role not in ['system', 'user', 'assistant'] -%}{{ raise_exception('the role ' ~ m.role ~ ' is not known') }}{%- endif -%}";

    // Turns as in ChatML, with other names for their marks; answers end with the mark and not with the line feed after it.
    private static string Marked(string begin, string open, string close, string end, string assistant = "assistant") =>
        begin + "{%- for m in messages -%}" + OnlyThree
        + "{{ '" + open + "' ~ " + (assistant == "assistant" ? "m.role" : "('" + assistant + "' if m.role == 'assistant' else m.role)") + " ~ '" + close + "' }}"
        + "{%- if m.role == 'assistant' -%}{%- generation -%}{{ m.content ~ " + end + " }}{%- endgeneration -%}"
        + "{%- else -%}{{ m.content ~ " + end + " }}{%- endif -%}"
        + "{{ '\\n' }}{%- endfor -%}"
        + "{%- if add_generation_prompt -%}{{ '" + open + assistant + close + "' }}{%- endif -%}";

    private const string BeginUnlessOpener = "{%- if adds_bos and bos_token != '<|im_start|>' -%}{{ bos_token }}{%- endif -%}";

    private const string Begin = "{%- if adds_bos -%}{{ bos_token }}{%- endif -%}";

    private const string Llama3 =
        "{{ bos_token }}{%- for m in messages -%}" + OnlyThree
        + "{{ '<|start_header_id|>' ~ m.role ~ '<|end_header_id|>\\n\\n' }}"
        + "{%- if m.role == 'assistant' -%}{%- generation -%}{{ m.content | trim ~ '<|eot_id|>' }}{%- endgeneration -%}"
        + "{%- else -%}{{ m.content | trim ~ '<|eot_id|>' }}{%- endif -%}{%- endfor -%}"
        + "{%- if add_generation_prompt -%}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif -%}";

    // A system text stands inside the first user turn; every exchange is a text of its own.
    private const string Llama2 =
        "{%- set ns = namespace(system='') -%}{%- for m in messages -%}" + OnlyThree
        + "{%- if m.role == 'system' -%}{%- set ns.system = '<<SYS>>\\n' ~ m.content ~ '\\n<</SYS>>\\n\\n' -%}"
        + "{%- elif m.role == 'user' -%}{{ bos_token ~ '[INST] ' ~ ns.system ~ m.content | trim ~ ' [/INST]' }}{%- set ns.system = '' -%}"
        + "{%- else -%}{%- generation -%}{{ ' ' ~ m.content | trim ~ ' ' ~ eos_token }}{%- endgeneration -%}{%- endif -%}{%- endfor -%}";

    private const string Mistral =
        "{{ bos_token }}{%- set ns = namespace(system='') -%}{%- for m in messages -%}" + OnlyThree
        + "{%- if m.role == 'system' -%}{%- set ns.system = m.content ~ '\\n\\n' -%}"
        + "{%- elif m.role == 'user' -%}{{ '[INST] ' ~ ns.system ~ m.content ~ ' [/INST]' }}{%- set ns.system = '' -%}"
        + "{%- else -%}{%- generation -%}{{ ' ' ~ m.content | trim ~ eos_token }}{%- endgeneration -%}{%- endif -%}{%- endfor -%}";

    private const string Gemma =
        "{{ bos_token }}{%- set ns = namespace(system='') -%}{%- for m in messages -%}" + OnlyThree
        + "{%- if m.role == 'system' -%}{%- set ns.system = m.content ~ '\\n\\n' -%}"
        + "{%- elif m.role == 'user' -%}{{ '<start_of_turn>user\\n' ~ ns.system ~ m.content | trim ~ '<end_of_turn>\\n' }}{%- set ns.system = '' -%}"
        + "{%- else -%}{{ '<start_of_turn>model\\n' }}{%- generation -%}{{ m.content | trim ~ '<end_of_turn>' }}{%- endgeneration -%}{{ '\\n' }}{%- endif -%}"
        + "{%- endfor -%}{%- if add_generation_prompt -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}";

    public static IReadOnlyList<ChatFormat> All { get; } =
    [
        new() { Name = "chatml", Template = Marked(BeginUnlessOpener, "<|im_start|>", "\\n", "'<|im_end|>'"), RequiredTokens = ["<|im_start|>", "<|im_end|>"] },
        new() { Name = "llama2", Template = Llama2, RequiredNames = ["bos_token", "eos_token"] },
        new() { Name = "llama3", Template = Llama3, RequiredTokens = ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], RequiredNames = ["bos_token"] },
        new() { Name = "zephyr", Template = Marked(Begin, "<|", "|>\\n", "eos_token"), RequiredNames = ["eos_token"] },
        new() { Name = "mistral", Template = Mistral, RequiredNames = ["bos_token", "eos_token"] },
        new() { Name = "gemma", Template = Gemma, RequiredTokens = ["<start_of_turn>", "<end_of_turn>"], RequiredNames = ["bos_token"] },
        new() { Name = "phi3", Template = Marked(Begin, "<|", "|>\\n", "'<|end|>'"), RequiredTokens = ["<|user|>", "<|assistant|>", "<|end|>"] },
    ];
}
