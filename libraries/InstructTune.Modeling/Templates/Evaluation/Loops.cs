using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>`for`, with its filter, its `else` and its recursion.</summary>
internal sealed class Loops(Renderer renderer, Run run)
{
    public Flow Render(For loop, Scope scope, StringBuilder output)
    {
        Turns(loop, Evaluator.Value(loop.Items, scope, run), scope, output, depth: 0);
        return Flow.Next;
    }

    private void Turns(For loop, object? iterated, Scope scope, StringBuilder output, int depth)
    {
        var items = Kept(loop, Iterated(iterated), scope);
        var state = loop.UsesLoop ? new LoopState([.. items], depth, Recursion(loop, scope, depth)) : null;
        var finished = false;
        foreach (var item in state?.Items ?? items)
        {
            var inner = new Scope(scope);
            renderer.Bind(loop.Target, item, inner);
            if (state is not null)
            {
                state.Index0++;
                inner.Set("loop", state);
            }

            var flow = renderer.Body(loop.Body, inner, output);
            if (flow == Flow.Break)
            {
                break;
            }

            finished |= flow == Flow.Next;
        }

        // As compiled by jinja2, the flag for `else` is cleared at the end of a turn: a turn that breaks or continues leaves it.
        if (!finished)
        {
            renderer.Body(loop.Else, new Scope(scope), output);
        }
    }

    private IEnumerable<object?> Iterated(object? value)
    {
        run.Meter.Items(0);
        return Sequences.Items(value, run.Meter);
    }

    private IEnumerable<object?> Kept(For loop, IEnumerable<object?> items, Scope scope) => loop.Test is not { } test ? items : items.Where(item =>
    {
        var inner = new Scope(scope);
        renderer.Bind(loop.Target, item, inner);
        return Truth.Of(Evaluator.Value(test, inner, run));
    });

    private PyFunction? Recursion(For loop, Scope scope, int depth) => !loop.Recursive ? null : new PyFunction((arguments, _) =>
    {
        run.Meter.EnterCall();
        var text = new StringBuilder();
        Turns(loop, arguments.Bind("loop", 1, "iterable").At(0), scope, text, depth + 1);
        run.Meter.LeaveCall();
        return text.ToString();
    });
}
