using System.Text.Json;
using InstructTune.Modeling.Templates;

namespace InstructTune.Unit.Tests.Modeling.Templates;

public sealed class ChatTemplateTests
{
    [Fact]
    public void Spans_of_generation_are_where_the_text_stands()
    {
        var rendered = Render("{% for x in l %}<{% generation %}{{ x }}!{% endgeneration %}>{% endfor %}");
        Assert.Equal(["3!", "1!"], rendered.Generated.Select(span => rendered.Text[span.Start..span.End]));
    }

    [Theory]
    [InlineData("a\nb\n{{ x | frobnicate }}", 3)]
    [InlineData("a\n{% include 'x' %}", 2)]
    [InlineData("{% if x %}\n\n{% endfor %}", 3)]
    [InlineData("{{ 'x' }}\n{% autoescape true %}{% endautoescape %}", 2)]
    public void What_is_not_offered_is_refused_before_anything_is_rendered_with_its_line(string source, int line) =>
        Assert.Equal(line, Assert.Throws<TemplateException>(() => ChatTemplate.Parse(source)).Line);

    [Fact]
    public void A_fault_while_rendering_has_the_line_of_its_statement() =>
        Assert.Equal(3, Assert.Throws<TemplateException>(() => Render("a\nb\n{{ 1 / 0 }}")).Line);

    [Theory]
    [InlineData("{% for i in range(1000) %}{% for j in range(1000) %}{% for k in range(1000) %}{% endfor %}{% endfor %}{% endfor %}")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")]
    [InlineData("{{ 'a' * 99999999 }}")]
    [InlineData("{{ 2 ** 99999999 }}")]
    public void Each_limit_stops_a_template(string source) =>
        Assert.Equal(TemplateFault.Limit, Assert.Throws<TemplateException>(() => Render(source)).Fault);

    private static RenderedTemplate Render(string source)
    {
        using var variables = JsonDocument.Parse("""{"l":[3,1]}""");
        return ChatTemplate.Parse(source).Render(ReferenceTemplates.Pairs(variables.RootElement), TimeProvider.System);
    }
}
