using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Status = Google.Rpc.Status;

namespace InstructTune.Hosting;

/// <summary>What goes over the wire for a <see cref="DomainException"/>: a <c>google.rpc.Status</c> with exactly one <c>ErrorInfo</c>.</summary>
public static class ErrorStatus
{
    public static RpcException ToRpcException(this DomainException exception) => ToStatus(exception).ToRpcException();

    /// <summary>The error that another service of InstructTune answered; null for anything else.</summary>
    public static DomainException? FromPeer(RpcException exception)
    {
        var status = exception.GetRpcStatus();
        var info = status?.GetDetail<ErrorInfo>();
        if (info is null || info.Domain != ErrorCatalog.Domain || ErrorCatalog.Find(info.Reason) is not { } reason)
        {
            return null;
        }

        var violations = status!.GetDetail<BadRequest>()?.FieldViolations.Select(v => new FieldViolation(v.Field, v.Description)) ?? [];
        return new DomainException(
            reason, status.Message, new Dictionary<string, string>(info.Metadata, StringComparer.Ordinal), [.. violations], exception);
    }

    private static Status ToStatus(DomainException exception)
    {
        var status = new Status { Code = (int)ErrorCatalog.CodeOf(exception.Reason), Message = exception.Message };
        var info = new ErrorInfo { Domain = ErrorCatalog.Domain, Reason = ErrorCatalog.NameOf(exception.Reason) };
        info.Metadata.Add(exception.Metadata.ToDictionary());
        Add(status, info);

        if (exception.Violations.Count > 0)
        {
            var badRequest = new BadRequest();
            badRequest.FieldViolations.AddRange(exception.Violations.Select(
                violation => new BadRequest.Types.FieldViolation { Field = violation.Field, Description = violation.Problem }));
            Add(status, badRequest);
        }

        if ((exception.RetryDelay ?? ErrorCatalog.RetryDelayOf(exception.Reason)) is { } delay)
        {
            Add(status, new RetryInfo { RetryDelay = Duration.FromTimeSpan(delay) });
        }

        return status;
    }

    private static void Add(Status status, IMessage detail) => status.Details.Add(Any.Pack(detail));
}
