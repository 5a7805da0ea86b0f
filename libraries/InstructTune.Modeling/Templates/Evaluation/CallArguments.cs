namespace InstructTune.Modeling.Templates;

/// <summary>The values given to a call, a filter or a test.</summary>
internal sealed record CallArguments(IReadOnlyList<object?> Positional, IReadOnlyList<KeyValuePair<string, object?>> Named)
{
    public static CallArguments None { get; } = new([], []);

    public static CallArguments Of(params object?[] positional) => new(positional, []);

    /// <summary>Values by the names of parameters, as Python binds them.</summary>
    /// <param name="function">For messages.</param>
    /// <param name="required">How many parameters must be given.</param>
    /// <param name="parameters">Names in order.</param>
    public BoundArguments Bind(string function, int required, params ReadOnlySpan<string> parameters)
    {
        if (Positional.Count > parameters.Length)
        {
            throw TemplateException.Type($"{function}() takes {parameters.Length} positional arguments but {Positional.Count} were given");
        }

        var values = new object?[parameters.Length];
        Array.Fill(values, BoundArguments.Absent);
        for (var i = 0; i < Positional.Count; i++)
        {
            values[i] = Positional[i];
        }

        foreach (var (name, value) in Named)
        {
            var index = parameters.IndexOf(name);
            values[index < 0 ? throw TemplateException.Type($"{function}() got an unexpected keyword argument '{name}'")
                : values[index] != BoundArguments.Absent ? throw TemplateException.Type($"{function}() got multiple values for argument '{name}'")
                : index] = value;
        }

        for (var i = 0; i < required; i++)
        {
            if (values[i] == BoundArguments.Absent)
            {
                throw TemplateException.Type($"{function}() missing 1 required positional argument: '{parameters[i]}'");
            }
        }

        return new(values);
    }
}

/// <summary>Values in the order of parameters.</summary>
internal readonly struct BoundArguments(object?[] values)
{
    public static readonly object Absent = new();

    public bool Has(int index) => values[index] != Absent;

    public object? At(int index, object? otherwise = null) => Has(index) ? values[index] : otherwise;

    public bool Flag(int index, bool otherwise = false) => Has(index) ? Truth.Of(values[index]) : otherwise;

    public long Number(int index, long otherwise = 0) => Has(index) ? Numbers.ToIndex(values[index]) : otherwise;

    /// <summary>A text; anything else is an error.</summary>
    public string Text(int index, string otherwise = "") => !Has(index) ? otherwise : values[index] switch
    {
        string text => text,
        Markup markup => markup.Text,
        Undefined undefined => throw undefined.Used(),
        var other => throw TemplateException.Type($"expected str, not '{TypeNames.Of(other)}'"),
    };
}
