using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>What `loop` stands for inside a loop.</summary>
internal sealed class LoopState(IReadOnlyList<object?> items, int depth, PyFunction? recursion) : IHasMembers, ICallable
{
    private CallArguments? _lastChanged;

    public IReadOnlyList<object?> Items => items;

    public int Count => items.Count;

    public int Index0 { get; set; } = -1;

    public IEnumerable<object?> Remaining() => items.Skip(Index0 + 1);

    public object? Call(CallArguments arguments, Run run) => recursion is null
        ? throw TemplateException.Type("The loop must have the 'recursive' marker to be called recursively.")
        : recursion.Call(arguments, run);

    public bool TryMember(string name, Run run, out object? value)
    {
        value = name switch
        {
            "index" => Number(Index0 + 1),
            "index0" => Number(Index0),
            "revindex" => Number(Count - Index0),
            "revindex0" => Number(Count - Index0 - 1),
            "first" => Index0 == 0,
            "last" => Index0 == Count - 1,
            "length" => Number(Count),
            "depth" => Number(depth + 1),
            "depth0" => Number(depth),
            "previtem" => Index0 > 0 ? items[Index0 - 1] : new Undefined("there is no previous item"),
            "nextitem" => Index0 + 1 < Count ? items[Index0 + 1] : new Undefined("there is no next item"),
            "cycle" => new PyFunction((arguments, _) => Cycle(arguments.Positional)),
            "changed" => new PyFunction(Changed),
            _ => null,
        };
        return name is "previtem" or "nextitem" || value is not null;
    }

    private object? Cycle(IReadOnlyList<object?> values) => values.Count == 0
        ? throw TemplateException.Type("no items for cycling given")
        : values[Index0 % values.Count];

    private object Changed(CallArguments arguments, Run run)
    {
        var same = _lastChanged is { } last
            && Equality.Of(new PyTuple(last.Positional), new PyTuple(arguments.Positional), run.Meter);
        _lastChanged = arguments;
        return !same;
    }

    private static BigInteger Number(int value) => value;
}
