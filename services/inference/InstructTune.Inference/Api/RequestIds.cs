using System.Diagnostics;
using Grpc.Core;
using InstructTune.Hosting;

namespace InstructTune.Inference.Api;

/// <summary>Names of requests, in the response's header, in traces and logs. They make nothing idempotent.</summary>
internal static class RequestIds
{
    public const string Header = "request-id";

    private const int MaxCharacters = 128;

    public static void Check(string requestId, FieldViolations violations) =>
        violations.Check(requestId.Length == 0 || IsValid(requestId), "request_id", $"must have at most {MaxCharacters} characters, all of them printable ASCII");

    /// <summary>The caller's, or a new one where it gave none or one that is refused later.</summary>
    public static string Give(string requestId, ServerCallContext context)
    {
        var id = IsValid(requestId) ? requestId : Guid.NewGuid().ToString("N");
        context.GetHttpContext().Response.Headers[Header] = id;
        Activity.Current?.SetTag("request_id", id);
        return id;
    }

    private static bool IsValid(string requestId) =>
        requestId.Length is > 0 and <= MaxCharacters && requestId.All(c => c is >= ' ' and <= '~') && requestId.Trim().Length == requestId.Length;
}
