using System.Globalization;

namespace InstructTune.Inference.Requests;

/// <summary>What fits into a model's context.</summary>
internal static class ContextLimit
{
    /// <summary>How many tokens may be made after a prompt.</summary>
    public static int OutputTokens(int promptTokens, int requestedTokens, int contextTokens)
    {
        var room = contextTokens - promptTokens;
        if (room < Math.Max(1, requestedTokens))
        {
            throw TooLong(
                $"The prompt has {promptTokens} tokens and {requestedTokens} are requested; the context has {contextTokens}.",
                contextTokens,
                ("prompt_tokens", Text(promptTokens)),
                ("max_output_tokens", Text(requestedTokens)));
        }
        return requestedTokens == 0 ? room : requestedTokens;
    }

    /// <summary>The item, cut at its beginning if that is asked for and needed.</summary>
    public static EncodedScore Fit(EncodedScore item, int index, bool truncate, int contextTokens)
    {
        var fitting = truncate || item.ComputedTokens <= contextTokens ? item.TruncateTo(contextTokens) : null;
        return fitting ?? throw TooLong(
            $"Item {index} has {item.Context.Length} tokens of context and {item.Continuation.Length} of continuation; the context has {contextTokens}.",
            contextTokens,
            ("item", Text(index)),
            ("prompt_tokens", Text(item.Context.Length)),
            ("continuation_tokens", Text(item.Continuation.Length)));
    }

    private static InferenceFault TooLong(string message, int contextTokens, params (string, string)[] metadata) =>
        new(FaultKind.PromptTooLong, message, [("context_tokens", Text(contextTokens)), .. metadata]);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
