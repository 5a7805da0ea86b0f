
namespace InstructTune.Modeling.Templates;

/// <summary>A macro, or the body of a `call`; it sees the names around its definition.</summary>
internal sealed class PyMacro(string? name, MacroBody definition, Scope closure, Renderer renderer) : ICallable, IHasMembers
{
    public string? Name => name;

    public object? Call(CallArguments arguments, Run run)
    {
        run.Meter.EnterCall();
        var line = run.Line;
        var scope = new Scope(closure);
        Bind(arguments, scope, run);
        var text = renderer.Text(definition.Body, scope);
        run.Line = line;
        run.Meter.LeaveCall();
        return text;
    }

    public bool TryMember(string member, Run run, out object? value)
    {
        value = member switch
        {
            "name" => name,
            "arguments" => PyTuple.Of([.. definition.Parameters]),
            "catch_kwargs" => definition.UsesKwargs,
            "catch_varargs" => definition.UsesVarargs,
            "caller" => definition.UsesCaller,
            _ => null,
        };
        return member == "name" || value is not null;
    }

    private void Bind(CallArguments arguments, Scope scope, Run run)
    {
        var parameters = definition.Parameters;
        var named = new PyDict(arguments.Named.Select(pair => KeyValuePair.Create((object?)pair.Key, pair.Value)));
        if (named.Count < arguments.Named.Count)
        {
            throw TemplateException.Type($"macro '{name}' got multiple values for a keyword argument");
        }

        var taken = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < parameters.Count; i++)
        {
            if (i < arguments.Positional.Count)
            {
                scope.Set(parameters[i], arguments.Positional[i]);
            }
            else if (named.TryGet(parameters[i], out var value))
            {
                taken.Add(parameters[i]);
                scope.Set(parameters[i], value);
            }
            else
            {
                SetDefault(i, scope, run);
            }
        }

        Extra(arguments, scope, [.. arguments.Named.Where(pair => !taken.Contains(pair.Key))]);
    }

    private void SetDefault(int index, Scope scope, Run run)
    {
        var first = definition.Parameters.Count - definition.Defaults.Count;
        scope.Set(definition.Parameters[index], index >= first
            ? Evaluator.Value(definition.Defaults[index - first], scope, run)
            : new Undefined($"parameter '{definition.Parameters[index]}' was not provided"));
    }

    private void Extra(CallArguments arguments, Scope scope, List<KeyValuePair<string, object?>> rest)
    {
        if (definition.UsesCaller && !definition.Parameters.Contains("caller"))
        {
            var given = rest.FindIndex(pair => pair.Key == "caller");
            scope.Set("caller", given >= 0 && rest[given].Value is { } caller ? caller : new Undefined("No caller defined"));
            rest.RemoveAll(pair => pair.Key == "caller");
        }

        if (definition.UsesKwargs)
        {
            scope.Set("kwargs", new PyDict(rest.Select(pair => KeyValuePair.Create((object?)pair.Key, pair.Value))));
        }
        else if (rest.Count > 0)
        {
            throw TemplateException.Type(rest.Exists(pair => pair.Key == "caller")
                ? $"macro '{name}' was invoked with two values for the special caller argument. This is most likely a bug."
                : $"macro '{name}' takes no keyword argument '{rest[0].Key}'");
        }

        var more = arguments.Positional.Skip(definition.Parameters.Count).ToArray();
        if (definition.UsesVarargs)
        {
            scope.Set("varargs", new PyTuple(more));
        }
        else if (more.Length > 0)
        {
            throw TemplateException.Type($"macro '{name}' takes not more than {definition.Parameters.Count} argument(s)");
        }
    }
}
