using System.Text.Json;

namespace InstructTune.Dataset.Import;

/// <summary>Says in our words what is wrong with JSON, without quoting the text itself at length.</summary>
internal static class JsonProblem
{
    public static string Describe(JsonException e)
    {
        // The message of the framework ends in its own "LineNumber: 0 | BytePositionInLine: 12.", which is said better here.
        var message = e.Message;
        var tail = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        if (tail >= 0)
        {
            message = message[..tail];
        }

        return $"{message.TrimEnd('.')} (byte {e.BytePositionInLine.GetValueOrDefault() + 1})";
    }

    public static string Kind(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "an array",
        JsonValueKind.Null => "null",
        JsonValueKind.Number => "a number",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a string",
        _ => "true or false",
    };
}
