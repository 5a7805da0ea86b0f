using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace InstructTune.Evaluation.Results;

/// <summary>Answers as lines of JSON.</summary>
internal static class AnswerLine
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // A choice that cannot occur has the log-probability -Infinity, which plain JSON cannot say.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static byte[] Write(Answer answer) => [.. JsonSerializer.SerializeToUtf8Bytes(answer, Json), (byte)'\n'];

    /// <summary>Every whole line; a torn last one, left by a crash, is not an answer.</summary>
    public static IEnumerable<Answer> Read(byte[] content)
    {
        var start = 0;
        for (var end = Array.IndexOf(content, (byte)'\n'); end >= 0; end = Array.IndexOf(content, (byte)'\n', start))
        {
            yield return JsonSerializer.Deserialize<Answer>(content.AsSpan(start..end), Json)!;
            start = end + 1;
        }
    }
}
