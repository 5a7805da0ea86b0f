using System.Text;
using System.Text.Json;
using InstructTune.Modeling.Templates;

namespace InstructTune.Fuzz.Targets;

/// <summary>Chat templates: read and rendered with a conversation. Whatever the template does, it ends within its limits.</summary>
internal sealed class TemplateTarget : FuzzTarget
{
    private const string Variables =
        """{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"a <b> \u00e9"},{"role":"assistant","content":"c","tool_calls":[{"function":{"name":"f","arguments":{"x":1.5}}}]}],"tools":null,"add_generation_prompt":true,"bos_token":"<s>","eos_token":"</s>","n":3,"l":[1,2,"x",null],"d":{"a":{"b":[true]}}}""";

    // Smaller than the standard, so that an input costs little; the limits are what is tested.
    private static readonly TemplateLimits _limits = new()
    {
        Steps = 100_000,
        TextCharacters = 256 * 1024,
        Allocation = 2 * 1024 * 1024,
        RangeLength = 10_000,
    };

    private static readonly KeyValuePair<string, JsonElement>[] _variables =
        [.. JsonDocument.Parse(Variables).RootElement.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value))];

    public override string Name => "template";

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. new[]
        {
            "{{", "}}", "{%", "%}", "{%-", "-%}", "{#", "#}", "{% for x in l %}", "{% endfor %}", "{% if n %}", "{% elif 0 %}", "{% else %}", "{% endif %}",
            "{% set ns = namespace(a=1) %}", "{% set ns.a = ns.a ~ ns.a %}", "{% macro f(a, b=2) %}", "{% endmacro %}", "{{ f(1) }}", "{% call f() %}", "{% endcall %}",
            "{% generation %}", "{% endgeneration %}", "{% raw %}", "{% endraw %}", "{% filter upper %}", "{% endfilter %}", "{% break %}", "{% continue %}", " recursive ", "loop(l)",
            "range(10000)", "'a' * 99999999999", "9 ** 9 ** 9", "|tojson(indent=9999999)", "|join('x')", "|replace('a','b')", "|map('upper')|list", "|selectattr('role','==','user')|list",
            "'%9999999d'|format(1)", "'{:>99999999}'.format(1)", "[::-1]", "[-1]", "messages[0]['content']", ".__class__", "|attr('x')", " is defined", " not in ", " if 1 else ", "**", "//", "~",
            "strftime_now('%Y')", "raise_exception('x')", "dict(a=1)", "cycler(1,2).next()", "|sort|groupby(0)", "|batch(2, 0)", "|slice(3)", "|wordwrap(1)", "|truncate(3)", "|indent(9999)", "\ud83d\ude42",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    public override IReadOnlyList<byte[]> Seeds() =>
    [
        Bytes.Text("{{ bos_token }}{% for m in messages %}{{ '<|' ~ m.role ~ '|>' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content | trim }}{% endgeneration %}{% else %}{{ m['content'] }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"),
        Bytes.Text("{%- set ns = namespace(i=-1, s='') -%}{%- for m in messages[::-1] if m.content -%}{%- set ns.i = loop.index0 -%}{%- set ns.s = ns.s ~ m.role[:2] -%}{%- endfor -%}{{ ns.i }} {{ ns.s | upper | length + 1 }}"),
        Bytes.Text("{% macro type(p, r=[]) -%}{% if p is mapping %}{{ p | tojson(indent=2) }}{% elif p is iterable and p is not string %}{% for x in p recursive %}{{ loop.index }}{{ x }}{% endfor %}{% else %}{{ p }}{% endif %}{%- endmacro %}{{ type(d) }}{{ type(l) }}{% macro w() %}<{{ caller() }}>{% endmacro %}{% call w() %}z{% endcall %}"),
        Bytes.Text("{% set x %}a{{ 1.5 // 0.5 }}{% endset %}{{ x | replace('a', 'bb') | center(20) }}{% with y = [3, 1, 2] | sort %}{{ y | join(',') }}{{ y | sum }}{% endwith %}{% raw %}{{ }}{% endraw %}{# c #}"),
        Bytes.Text("{{ '%s %05.2f' | format('a', 2) }}{{ '{0!r:>9} {a.x}'.format('q', a=d) }}{{ {1: 'a', 'b': (1, 2,)} }}{{ l | map('string') | list }}{{ messages | map(attribute='role') | unique | list }}{{ 7 % -3 }}{{ 2 ** 70 }}"),
        Bytes.Text("{% for i in range(100) %}{% for j in range(100) %}{% if j == 3 %}{% break %}{% endif %}{{ i * j }}{% endfor %}{% else %}none{% endfor %}{% filter indent(2) %}{{ strftime_now('%d %b') }}{% endfilter %}"),
    ];

    public override long AllocationLimitBytes(int inputSizeBytes) => 128_000_000 + (8192L * inputSizeBytes);

    public override void Run(byte[] input)
    {
        var rendered = ChatTemplate.Parse(Encoding.UTF8.GetString(input), _limits).Render(_variables, TimeProvider.System);
        if (rendered.Text.Length > _limits.TextCharacters)
        {
            throw new InvariantException($"A text of {rendered.Text.Length} characters is longer than the limit.");
        }

        if (rendered.Generated.Any(span => span.Start < 0 || span.Start > span.End))
        {
            throw new InvariantException("A span of generated text is none.");
        }
    }

    public override bool IsRefusal(Exception exception) => exception is TemplateException;
}
