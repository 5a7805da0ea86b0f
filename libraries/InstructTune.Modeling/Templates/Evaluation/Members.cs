namespace InstructTune.Modeling.Templates;

/// <summary>
/// Attributes and items, with jinja2's order: `a.b` asks for the method first and the key then, `a['b']` the other way round. There is
/// no reflection: only the methods listed by type exist.
/// </summary>
internal static class Members
{
    private static readonly string[] _listChanges = ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];
    private static readonly string[] _dictChanges = ["clear", "pop", "popitem", "setdefault", "update"];

    public static object? Attribute(object? owner, string name, Run run)
    {
        if (owner is Undefined undefined && !name.StartsWith("__", StringComparison.Ordinal))
        {
            throw undefined.Used();
        }

        if (OwnMember(owner, name, run, out var member))
        {
            return member;
        }

        return TryItem(owner, name, run, out var item) ? item : Undefined.Member(owner, name, run.Meter);
    }

    public static object? Item(object? owner, object? key, Run run)
    {
        if (owner is Undefined undefined)
        {
            throw undefined.Used();
        }

        if (TryItem(owner, key, run, out var item))
        {
            return item;
        }

        return (key as string ?? (key as Markup)?.Text) is { } name && OwnMember(owner, name, run, out var member)
            ? member
            : Undefined.Member(owner, key, run.Meter);
    }

    public static object? Sliced(object? owner, object? start, object? stop, object? step, Run run)
    {
        if (owner is Undefined undefined)
        {
            throw undefined.Used();
        }

        return owner is PyDict
            ? throw TemplateException.Type("unhashable type: 'slice'")
            : Sequences.Sliced(owner, start, stop, step, run.Meter);
    }

    /// <summary>What has no key of the name: a method, a field, or something that templates must not reach.</summary>
    public static bool OwnMember(object? owner, string name, Run run, out object? member)
    {
        if (name.StartsWith('_'))
        {
            member = Undefined.Unsafe(owner, name);
            return name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal) && !(owner is PyDict dict && dict.Contains(name));
        }

        if ((owner is PyList && _listChanges.Contains(name)) || (owner is PyDict && _dictChanges.Contains(name)))
        {
            member = Undefined.Unsafe(owner, name);
            return true;
        }

        if (owner is IHasMembers own)
        {
            return own.TryMember(name, run, out member);
        }

        member = owner switch
        {
            string text => TextMethods.Find(text, name),
            Markup markup => MarkupMethods.Find(markup, name),
            PyDict dict => DictMethods.Find(dict, name),
            PyList list => ListMethods.Find(list.Items, name),
            PyTuple tuple => ListMethods.Find(tuple.Items, name),
            PyRange range => RangeMember(range, name),
            _ when Numbers.IsNumber(owner) => NumberMethods.Find(owner, name),
            _ => null,
        };
        return member is not null;
    }

    private static bool TryItem(object? owner, object? key, Run run, out object? item)
    {
        item = null;
        return owner switch
        {
            PyDict dict => key is not (PyList or PyDict or PyNamespace) && dict.TryGet(key, out item),
            _ => Sequences.TryIndex(owner, key, out item),
        };
    }

    private static object? RangeMember(PyRange range, string name) => name switch
    {
        "start" => (System.Numerics.BigInteger)range.Start,
        "stop" => (System.Numerics.BigInteger)range.Stop,
        "step" => (System.Numerics.BigInteger)range.Step,
        "count" or "index" => ListMethods.Find([.. Enumerable.Range(0, (int)range.Count).Select(i => (object?)(System.Numerics.BigInteger)(range.Start + (i * range.Step)))], name),
        _ => null,
    };
}
