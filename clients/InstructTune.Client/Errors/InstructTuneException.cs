using System.Net.Sockets;
using Google.Rpc;
using Grpc.Core;

namespace InstructTune.Client;

/// <summary>
/// A call that failed. <see cref="Reason"/> is stable and meant for programs, the message for people; every variable part of
/// the message is in <see cref="Metadata"/> too.
/// </summary>
public sealed class InstructTuneException : Exception
{
    private InstructTuneException(string reason, string message, StatusCode statusCode, Exception? cause)
        : base(message, cause)
    {
        Reason = reason;
        StatusCode = statusCode;
    }

    /// <summary>
    /// Such as <c>RESOURCE_NOT_FOUND</c>: a name of <c>ErrorReason</c> without its prefix, or one of <see cref="LocalReasons"/>
    /// where the failure is on this side.
    /// </summary>
    public string Reason { get; }

    /// <summary>The gRPC status of the call.</summary>
    public StatusCode StatusCode { get; }

    /// <summary>The variable parts of the message, by name.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Every field the server objects to, for <c>FIELD_INVALID</c>.</summary>
    public IReadOnlyList<FieldViolation> FieldViolations { get; private init; } = [];

    /// <summary>How long the server asks to wait before the next try; null where it says nothing.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>Reads the details of a gRPC failure.</summary>
    /// <param name="failure">As thrown by a gRPC client.</param>
    /// <param name="server">Named in the message when nothing answers there.</param>
    public static InstructTuneException From(RpcException failure, Uri? server = null)
    {
        var status = failure.GetRpcStatus();
        var info = status?.GetDetail<ErrorInfo>();
        if (status is null || info is null)
        {
            return WithoutDetails(failure, server);
        }

        return new InstructTuneException(info.Reason, status.Message, failure.StatusCode, failure)
        {
            Metadata = new Dictionary<string, string>(info.Metadata, StringComparer.Ordinal),
            FieldViolations =
            [
                .. (status.GetDetail<BadRequest>()?.FieldViolations ?? [])
                    .Select(violation => new FieldViolation(violation.Field, violation.Description)),
            ],
            RetryAfter = status.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan(),
        };
    }

    /// <summary>A failure on this side, before or without an answer of the server.</summary>
    /// <param name="reason">One of <see cref="LocalReasons"/>.</param>
    /// <param name="message">One line that says what to do.</param>
    /// <param name="cause">What led to it, if anything was thrown.</param>
    public static InstructTuneException Local(string reason, string message, Exception? cause = null) =>
        new(reason, message, StatusCode.Unknown, cause);

    private static InstructTuneException WithoutDetails(RpcException failure, Uri? server) => failure.StatusCode switch
    {
        StatusCode.Unavailable when IsRefused(failure) => new(
            LocalReasons.ServerUnreachable, $"No InstructTune server answers at {Show(server)}.", failure.StatusCode, failure),
        StatusCode.Unavailable => new(
            LocalReasons.ConnectionLost,
            $"The connection to the server at {Show(server)} failed: {failure.Status.Detail}",
            failure.StatusCode,
            failure),
        StatusCode.DeadlineExceeded => new(
            LocalReasons.DeadlineExceeded, $"The server at {Show(server)} did not answer in time.", failure.StatusCode, failure),
        StatusCode.Unimplemented => new(
            LocalReasons.NotInstructTune,
            $"What listens at {Show(server)} is not an InstructTune server, or one of another version.",
            failure.StatusCode,
            failure),
        _ => new(LocalReasons.Unexplained, failure.Status.Detail, failure.StatusCode, failure),
    };

    private static bool IsRefused(RpcException failure)
    {
        for (var cause = failure.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException { SocketErrorCode: not (SocketError.ConnectionReset or SocketError.Shutdown) })
            {
                return true;
            }
        }

        return false;
    }

    private static string Show(Uri? server) => server?.GetLeftPart(UriPartial.Authority) ?? "the address given";
}

/// <summary>A field the server objects to.</summary>
/// <param name="Field">Its path in the request.</param>
/// <param name="Problem">What is wrong with it.</param>
public sealed record FieldViolation(string Field, string Problem);
