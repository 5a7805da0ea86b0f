using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>Expressions into values.</summary>
internal static class Evaluator
{
    public static object? Value(Expression expression, Scope scope, Run run)
    {
        run.Meter.Enter();
        var value = expression switch
        {
            Constant constant => constant.Value,
            Variable variable => scope.Find(variable.Name),
            Attribute attribute => Members.Attribute(Value(attribute.Owner, scope, run), attribute.Name, run),
            Item item => ItemOf(item, scope, run),
            Filter filter => FilterTable.Apply(
                filter.Name, filter.Input is null ? null : Value(filter.Input, scope, run), Arguments(filter.Arguments, scope, run), run),
            Test test => TestTable.Apply(test.Name, Value(test.Input, scope, run), Arguments(test.Arguments, scope, run), run),
            Call call => Invoke(call, scope, run, []),
            Binary binary => BinaryOf(binary, scope, run),
            Comparison comparison => Compared(comparison, scope, run),
            Concat concat => Joined(concat, scope, run),
            Conditional conditional => Chosen(conditional, scope, run),
            Unary unary => UnaryOf(unary, scope, run),
            _ => Display(expression, scope, run),
        };
        run.Meter.Leave();
        return value;
    }

    /// <summary>A call; <paramref name="more"/> are named values that the statement around it adds.</summary>
    public static object? Invoke(Call call, Scope scope, Run run, IReadOnlyList<KeyValuePair<string, object?>> more)
    {
        var function = Value(call.Function, scope, run);
        var arguments = Arguments(call.Arguments, scope, run);
        arguments = arguments with { Named = [.. arguments.Named, .. more] };
        return function switch
        {
            ICallable callable => callable.Call(arguments, run),
            Undefined undefined => throw undefined.Used(),
            _ => throw TemplateException.Type($"'{TypeNames.Of(function)}' object is not callable"),
        };
    }

    /// <summary>A filter over text that a block made.</summary>
    public static object? Filtered(Expression filter, object? input, Scope scope, Run run)
    {
        var (name, arguments, inner) = filter is Filter f ? (f.Name, f.Arguments, f.Input) : throw new InvalidOperationException("not a filter");
        return FilterTable.Apply(name, inner is null ? input : Filtered(inner, input, scope, run), Arguments(arguments, scope, run), run);
    }

    private static CallArguments Arguments(ArgumentList list, Scope scope, Run run)
    {
        if (list == ArgumentList.Empty)
        {
            return CallArguments.None;
        }

        List<object?> positional = [.. list.Positional.Select(argument => Value(argument, scope, run))];
        List<KeyValuePair<string, object?>> named = [.. list.Named.Select(argument => KeyValuePair.Create(argument.Name, Value(argument.Value, scope, run)))];
        if (list.Spread is { } spread)
        {
            positional.AddRange(Sequences.Listed(Value(spread, scope, run), run.Meter));
        }

        if (list.SpreadNamed is { } spreadNamed)
        {
            var mapping = Value(spreadNamed, scope, run) as PyDict ?? throw TemplateException.Type("argument after ** must be a mapping");
            named.AddRange(mapping.Pairs.Select(pair => KeyValuePair.Create(
                pair.Key as string ?? throw TemplateException.Type("keywords must be strings"), pair.Value)));
        }

        return new(positional, named);
    }

    private static object? ItemOf(Item item, Scope scope, Run run)
    {
        var owner = Value(item.Owner, scope, run);
        return item.Key is Slice slice
            ? Members.Sliced(owner, slice.Start is null ? null : Value(slice.Start, scope, run), slice.Stop is null ? null : Value(slice.Stop, scope, run), slice.Step is null ? null : Value(slice.Step, scope, run), run)
            : Members.Item(owner, Value(item.Key, scope, run), run);
    }

    private static object? BinaryOf(Binary binary, Scope scope, Run run)
    {
        var left = Value(binary.Left, scope, run);
        return binary.Operator switch
        {
            "and" => Truth.Of(left) ? Value(binary.Right, scope, run) : left,
            "or" => Truth.Of(left) ? left : Value(binary.Right, scope, run),
            _ => Arithmetic.Of(left, binary.Operator, Value(binary.Right, scope, run), run),
        };
    }

    private static object? UnaryOf(Unary unary, Scope scope, Run run)
    {
        var operand = Value(unary.Operand, scope, run);
        return unary.Operator switch
        {
            "not" => !Truth.Of(operand),
            "-" => Arithmetic.Negate(operand),
            _ => Arithmetic.Plus(operand),
        };
    }

    private static object Compared(Comparison comparison, Scope scope, Run run)
    {
        var left = Value(comparison.First, scope, run);
        foreach (var (operation, expression) in comparison.Rest)
        {
            var right = Value(expression, scope, run);
            if (!Holds(left, operation, right, run.Meter))
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    private static bool Holds(object? left, string operation, object? right, Meter meter) => operation switch
    {
        "==" => Equality.Of(left, right, meter),
        "!=" => !Equality.Of(left, right, meter),
        "in" => Membership.Of(left, right, meter),
        "not in" => !Membership.Of(left, right, meter),
        _ => Ordering.Holds(left, operation, right, meter),
    };

    private static string Joined(Concat concat, Scope scope, Run run)
    {
        var text = new StringBuilder();
        foreach (var item in concat.Items)
        {
            var part = run.Print(Value(item, scope, run));
            run.Meter.Text((long)text.Length + part.Length);
            text.Append(part);
        }

        return text.ToString();
    }

    private static object? Chosen(Conditional conditional, Scope scope, Run run)
    {
        if (Truth.Of(Value(conditional.Test, scope, run)))
        {
            return Value(conditional.Then, scope, run);
        }

        return conditional.Else is { } otherwise
            ? Value(otherwise, scope, run)
            : new Undefined($"the inline if-expression on line {conditional.Line} evaluated to false and no else section was defined.");
    }

    private static object Display(Expression expression, Scope scope, Run run)
    {
        switch (expression)
        {
            case ListDisplay list:
                run.Meter.Items(list.Items.Count);
                return new PyList([.. list.Items.Select(item => Value(item, scope, run))]);
            case TupleDisplay tuple:
                run.Meter.Items(tuple.Items.Count);
                return new PyTuple([.. tuple.Items.Select(item => Value(item, scope, run))]);
            case DictDisplay dict:
                run.Meter.Items(dict.Pairs.Count);
                return new PyDict(dict.Pairs.Select(pair => KeyValuePair.Create(Value(pair.Key, scope, run), Value(pair.Value, scope, run))));
            default:
                throw new TemplateException(TemplateFault.Syntax, "a slice stands where no slice can stand", expression.Line);
        }
    }
}
