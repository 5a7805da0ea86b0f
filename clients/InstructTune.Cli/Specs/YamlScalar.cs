using System.Globalization;
using Google.Protobuf.Reflection;
using YamlDotNet.RepresentationModel;

namespace InstructTune.Cli.Specs;

/// <summary>One scalar of YAML as the CLR type of a field.</summary>
internal static class YamlScalar
{
    public static object Read(FieldDescriptor field, YamlNode node, YamlSource source, string path)
    {
        var text = (node as YamlScalarNode)?.Value ?? throw source.Error(node, $"'{path}' must be a single value");
        return Parse(field, text) ?? throw source.Error(node, $"'{path}' must be {Wanted(field)}, not '{text}'");
    }

    private static object? Parse(FieldDescriptor field, string text) => field.FieldType switch
    {
        FieldType.String => text,
        FieldType.Bool => text switch { "true" => true, "false" => false, _ => null },
        FieldType.Int32 => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null,
        FieldType.Int64 => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null,
        FieldType.UInt64 => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null,
        FieldType.Double => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null,
        FieldType.Enum => FindEnumValue(field.EnumType, text) is { } value ? Enum.ToObject(field.EnumType.ClrType, value.Number) : null,
        _ => throw new NotSupportedException($"Fields of type {field.FieldType} are not read from YAML."),
    };

    private static string Wanted(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Bool => "true or false",
        FieldType.Int32 or FieldType.Int64 => "a whole number",
        FieldType.UInt64 => "a whole number of at least 0",
        FieldType.Double => "a number",
        FieldType.Enum => "one of " + string.Join(", ", field.EnumType.Values.Where(value => value.Number != 0).Select(ShortName)),
        _ => "text",
    };

    // Both SCHEDULE_COSINE and cosine.
    private static EnumValueDescriptor? FindEnumValue(EnumDescriptor type, string text) =>
        type.Values.FirstOrDefault(value => value.Name == text || string.Equals(ShortName(value), text, StringComparison.OrdinalIgnoreCase));

    private static string ShortName(EnumValueDescriptor value)
    {
        var zero = value.EnumDescriptor.FindValueByNumber(0).Name;
        var prefix = zero[..^"UNSPECIFIED".Length];
        return value.Name.StartsWith(prefix, StringComparison.Ordinal) ? value.Name[prefix.Length..].ToLowerInvariant() : value.Name;
    }
}
