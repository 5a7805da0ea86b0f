using System.Globalization;
using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>The `attribute` of filters: keys with dots between them, numbers for items of lists.</summary>
internal sealed class AttributePath
{
    private readonly object?[] _keys;
    private readonly object? _otherwise;

    private AttributePath(object?[] keys, object? otherwise) => (_keys, _otherwise) = (keys, otherwise);

    public static AttributePath Of(object? attribute) => Of(attribute, null);

    public static AttributePath Of(object? attribute, object? otherwise) => new(
        attribute is string path
            ? [.. path.Split('.').Select(part => part.Length > 0 && part.All(char.IsAsciiDigit) ? BigInteger.Parse(part, CultureInfo.InvariantCulture) : (object)part)]
            : [attribute],
        otherwise);

    public object? Get(object? item, Run run)
    {
        foreach (var key in _keys)
        {
            run.Meter.Step();
            item = Members.Item(item, key, run);
            if (item is Undefined && _otherwise is not null)
            {
                item = _otherwise;
            }
        }

        return item;
    }

    /// <summary>A key of an order that does not look at case, unless asked to.</summary>
    public static object? Folded(object? value, bool caseSensitive) => value switch
    {
        string text when !caseSensitive => TextCase.Lower(text),
        Markup markup when !caseSensitive => TextCase.Lower(markup.Text),
        _ => value,
    };
}
