namespace InstructTune.Modeling.Templates;

/// <summary>What a name, key or attribute that is not there stands for: empty text, no items, false; an error when it is used further.</summary>
internal sealed class Undefined(string problem, TemplateFault fault = TemplateFault.Undefined)
{
    public static Undefined Name(string name) => new($"'{name}' is undefined");

    public static Undefined Member(object? owner, object? key, Meter meter) => new(key is string name
        ? $"'{Described(owner)}' has no attribute '{name}'"
        : $"{Described(owner)} has no element {TextForm.Repr(key, meter)}");

    /// <summary>A member that templates may not reach.</summary>
    public static Undefined Unsafe(object? owner, string name) =>
        new($"access to attribute '{name}' of '{TypeNames.Of(owner)}' object is unsafe.", TemplateFault.Refused);

    /// <summary>No items; what templates may not reach has none to give.</summary>
    public IEnumerable<object?> Iterated() => fault == TemplateFault.Undefined ? [] : throw Used();

    public TemplateException Used() => new(fault, problem);

    private static string Described(object? owner) => owner is null ? "None" : $"{TypeNames.Of(owner)} object";
}
