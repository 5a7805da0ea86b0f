using System.Globalization;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary>
/// A length of answers that nobody asked for must not be why a prompt is refused: where it does not fit, the answer may take what the context
/// has left. A length that somebody gave is meant.
/// </summary>
internal static class DefaultLength
{
    private const string TooLong = "PROMPT_TOO_LONG";

    /// <summary>Asks with the length that the request has, and again up to the context's limit where only that length was too much.</summary>
    public static async Task<T> AskAsync<T>(GenerateRequest request, Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (InstructTuneException refusal) when (refusal.Reason == TooLong && LeavesRoom(refusal))
        {
            request.MaxOutputTokens = 0;
            return await ask();
        }
    }

    private static bool LeavesRoom(InstructTuneException refusal) =>
        Count(refusal, "prompt_tokens") is { } prompt && Count(refusal, "context_tokens") is { } context && prompt < context;

    private static int? Count(InstructTuneException refusal, string name) =>
        refusal.Metadata.TryGetValue(name, out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;
}
