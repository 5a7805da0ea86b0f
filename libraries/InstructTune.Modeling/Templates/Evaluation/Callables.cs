namespace InstructTune.Modeling.Templates;

/// <summary>What can be called in a template.</summary>
internal interface ICallable
{
    object? Call(CallArguments arguments, Run run);
}

/// <summary>What has attributes of its own.</summary>
internal interface IHasMembers
{
    bool TryMember(string name, Run run, out object? value);
}

/// <summary>A function or a bound method.</summary>
internal sealed class PyFunction(Func<CallArguments, Run, object?> body) : ICallable
{
    public object? Call(CallArguments arguments, Run run) => body(arguments, run);
}

/// <summary>What `namespace()` makes: the one thing that templates can change.</summary>
internal sealed class PyNamespace : IHasMembers
{
    private readonly Dictionary<string, object?> _fields = new(StringComparer.Ordinal);

    public void Set(string name, object? value) => _fields[Checked(name)] = value;

    public bool TryMember(string name, Run run, out object? value) => _fields.TryGetValue(name, out value);

    private static string Checked(string name) => name.StartsWith('_')
        ? throw new TemplateException(
            TemplateFault.Refused, $"Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{name}'. Please rename the attribute.")
        : name;
}

/// <summary>Gives its separator at every call but the first.</summary>
internal sealed class Joiner(object? separator) : ICallable
{
    private bool _used;

    public object? Call(CallArguments arguments, Run run)
    {
        arguments.Bind("joiner", 0);
        var result = _used ? separator : "";
        _used = true;
        return result;
    }
}

/// <summary>Goes round its items.</summary>
internal sealed class Cycler(IReadOnlyList<object?> items) : IHasMembers
{
    private int _at;

    public bool TryMember(string name, Run run, out object? value)
    {
        value = name switch
        {
            "current" => items[_at],
            "next" => new PyFunction((_, _) => Next()),
            "reset" => new PyFunction((_, _) => Reset()),
            _ => null,
        };
        return name is "current" or "next" or "reset";
    }

    private object? Next()
    {
        var item = items[_at];
        _at = (_at + 1) % items.Count;
        return item;
    }

    private object? Reset()
    {
        _at = 0;
        return null;
    }
}
