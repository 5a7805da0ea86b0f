using Grpc.Core;
using InstructTune.V1;

namespace InstructTune.Hosting;

/// <summary>Exceptions of the libraries and of peers, as errors that callers understand.</summary>
internal static class ExceptionTranslation
{
    public static DomainException? ToDomain(Exception exception) => exception switch
    {
        DomainException domain => domain,
        RpcException rpc => FromPeer(rpc),
        _ => null,
    };

    private static DomainException? FromPeer(RpcException rpc) => ErrorStatus.FromPeer(rpc) ?? rpc.StatusCode switch
    {
        StatusCode.Unavailable => new DomainException(
            ErrorReason.PeerUnreachable, "Another service of InstructTune does not answer; try again in a moment."),
        _ => null,
    };
}
