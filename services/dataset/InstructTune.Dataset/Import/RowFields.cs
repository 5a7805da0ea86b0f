using System.Text.Json;

namespace InstructTune.Dataset.Import;

/// <summary>Typed access to the fields of one row, with problems that name the key.</summary>
internal static class RowFields
{
    /// <summary>Null counts as absent.</summary>
    public static string? OptionalText(this JsonElement row, string key)
    {
        if (!row.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return Text(value, key);
    }

    public static string RequiredText(this JsonElement row, string key)
    {
        if (!row.TryGetProperty(key, out var value))
        {
            throw RecordInvalidException.Invalid($"{key} is missing");
        }

        return Text(value, key);
    }

    /// <summary>A list of strings, or one string.</summary>
    public static IReadOnlyList<string> TextList(this JsonElement row, string key)
    {
        if (!row.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        return value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select((item, i) => Text(item, $"{key}[{i}]"))]
            : [Text(value, key)];
    }

    public static string Text(JsonElement value, string key)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw RecordInvalidException.Invalid($"{key} is not a string but {JsonProblem.Kind(value.ValueKind)}");
        }

        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // A \ud800 without its partner is JSON, but no text.
            throw RecordInvalidException.Invalid($"{key} holds half of a surrogate pair");
        }
    }
}
