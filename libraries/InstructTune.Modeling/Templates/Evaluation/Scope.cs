namespace InstructTune.Modeling.Templates;

/// <summary>Names and what they stand for; a name that is not here is looked for outside.</summary>
internal sealed class Scope(Scope? outer)
{
    private Dictionary<string, object?>? _names;

    public object? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._names is { } names && names.TryGetValue(name, out var value))
            {
                return value;
            }
        }

        return Undefined.Name(name);
    }

    public void Set(string name, object? value) => (_names ??= new(StringComparer.Ordinal))[name] = value;

    private Scope? Outer => outer;
}
