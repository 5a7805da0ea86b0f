using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>Why a body ended early.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>Statements into text.</summary>
internal sealed class Renderer(Run run)
{
    public Flow Body(IReadOnlyList<Statement> statements, Scope scope, StringBuilder output)
    {
        foreach (var statement in statements)
        {
            run.Line = statement.Line;
            run.Meter.Enter();
            var flow = One(statement, scope, output);
            run.Meter.Leave();
            if (flow != Flow.Next)
            {
                return flow;
            }
        }

        return Flow.Next;
    }

    /// <summary>The text of a body in a scope of its own.</summary>
    public string Text(IReadOnlyList<Statement> statements, Scope scope)
    {
        var output = new StringBuilder();
        Body(statements, scope, output);
        return output.ToString();
    }

    /// <summary>Gives names to a value, or to its parts.</summary>
    public void Bind(Expression target, object? value, Scope scope)
    {
        switch (target)
        {
            case Variable variable:
                scope.Set(variable.Name, value);
                break;
            case NamespaceField field:
                var owner = scope.Find(field.Name) as PyNamespace
                    ?? throw new TemplateException(TemplateFault.Runtime, "cannot assign attribute on non-namespace object");
                owner.Set(field.Field, value);
                break;
            default:
                Unpack(((TupleDisplay)target).Items, value, scope);
                break;
        }
    }

    private void Unpack(IReadOnlyList<Expression> targets, object? value, Scope scope)
    {
        if (!Sequences.IsIterable(value))
        {
            throw TemplateException.Type($"cannot unpack non-iterable {TypeNames.Of(value)} object");
        }

        var items = Sequences.Items(value, run.Meter).Take(targets.Count + 1).ToArray();
        if (items.Length != targets.Count)
        {
            throw TemplateException.Value(items.Length > targets.Count
                ? $"too many values to unpack (expected {targets.Count})"
                : $"not enough values to unpack (expected {targets.Count}, got {items.Length})");
        }

        foreach (var (target, item) in targets.Zip(items))
        {
            Bind(target, item, scope);
        }
    }

    private Flow One(Statement statement, Scope scope, StringBuilder output)
    {
        switch (statement)
        {
            case Data data:
                Append(output, data.Text);
                return Flow.Next;
            case Output print:
                Append(output, run.Print(Evaluator.Value(print.Value, scope, run)));
                return Flow.Next;
            case If choice:
                return Choose(choice, scope, output);
            case For loop:
                return new Loops(this, run).Render(loop, scope, output);
            case Break:
                return Flow.Break;
            case Continue:
                return Flow.Continue;
            case Assign assign:
                Bind(assign.Target, Evaluator.Value(assign.Value, scope, run), scope);
                return Flow.Next;
            case Macro macro:
                scope.Set(macro.Name, new PyMacro(macro.Name, macro.Definition, scope, this));
                return Flow.Next;
            case With with:
                return Inside(with, scope, output);
            default:
                return Captured(statement, scope, output);
        }
    }

    // Statements whose body is text for something else.
    private Flow Captured(Statement statement, Scope scope, StringBuilder output)
    {
        switch (statement)
        {
            case AssignBlock assign:
                var (flow, assigned) = Captured(assign.Body, scope);
                Bind(assign.Target, assign.Filter is null ? assigned : Evaluator.Filtered(assign.Filter, assigned, scope, run), scope);
                return flow;
            case FilterBlock filter:
                var (ended, text) = Captured(filter.Body, scope);
                Append(output, run.Print(Evaluator.Filtered(filter.Filter, text, scope, run)));
                return ended;
            case Generation generation:
                var generated = Text(generation.Body, new Scope(scope));
                run.MarkGenerated(generated.Length);
                Append(output, generated);
                return Flow.Next;
            case CallBlock call:
                var caller = new PyMacro(null, call.Definition, scope, this);
                Append(output, run.Print(Evaluator.Invoke(call.Call, scope, run, [KeyValuePair.Create("caller", (object?)caller)])));
                return Flow.Next;
            default:
                throw new InvalidOperationException($"no rule for {statement.GetType().Name}");
        }
    }

    private (Flow Flow, string Text) Captured(IReadOnlyList<Statement> body, Scope scope)
    {
        var text = new StringBuilder();
        return (Body(body, new Scope(scope), text), text.ToString());
    }

    private Flow Choose(If choice, Scope scope, StringBuilder output)
    {
        foreach (var (test, body) in choice.Branches)
        {
            if (Truth.Of(Evaluator.Value(test, scope, run)))
            {
                return Body(body, scope, output);
            }
        }

        return Body(choice.Else, scope, output);
    }

    private Flow Inside(With with, Scope scope, StringBuilder output)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in with.Bindings)
        {
            Bind(target, Evaluator.Value(value, scope, run), inner);
        }

        return Body(with.Body, inner, output);
    }

    private void Append(StringBuilder output, string text)
    {
        run.Meter.Text((long)output.Length + text.Length - output.Length);
        if ((long)output.Length + text.Length > run.Meter.Limits.TextCharacters)
        {
            run.Meter.Text((long)output.Length + text.Length);
        }

        output.Append(text);
    }
}
