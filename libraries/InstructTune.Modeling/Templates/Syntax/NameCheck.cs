namespace InstructTune.Modeling.Templates;

/// <summary>
/// Refuses filters and tests that do not exist before anything is rendered; inside a condition only when they are reached, as jinja2 does.
/// </summary>
internal static class NameCheck
{
    public static void Check(IReadOnlyList<Statement> statements, bool conditional = false)
    {
        foreach (var statement in statements)
        {
            var inside = statement is If;
            foreach (var expression in statement.Expressions)
            {
                Check(expression, inside || conditional);
            }

            foreach (var body in statement.Bodies)
            {
                Check(body, inside);
            }
        }
    }

    private static void Check(Expression expression, bool conditional)
    {
        if (!conditional && expression is Filter filter && !FilterTable.Contains(filter.Name))
        {
            throw new TemplateException(TemplateFault.Syntax, FilterTable.Missing(filter.Name), filter.Line);
        }

        if (!conditional && expression is Test test && !TestTable.Contains(test.Name))
        {
            throw new TemplateException(TemplateFault.Syntax, TestTable.Missing(test.Name), test.Line);
        }

        foreach (var part in expression.Parts)
        {
            Check(part, conditional || expression is Conditional);
        }
    }
}
