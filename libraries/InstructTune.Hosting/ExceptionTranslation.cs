using System.Globalization;
using Grpc.Core;
using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.V1;

namespace InstructTune.Hosting;

/// <summary>Exceptions of the libraries and of peers, as errors that callers understand.</summary>
internal static class ExceptionTranslation
{
    /// <summary>Null for what nobody foresaw.</summary>
    public static DomainException? ToDomain(Exception exception) => exception switch
    {
        DomainException domain => domain,
        RpcException rpc => FromPeer(rpc),
        PageTokenMismatchException => new DomainException(
            ErrorReason.PageTokenMismatch, "page_token belongs to another query: start again with an empty one.", ("field", "page_token")),
        EventsTrimmedException trimmed => new DomainException(
            ErrorReason.EventsTrimmed, trimmed.Message, ("oldest_sequence", trimmed.OldestSequence.ToString(CultureInfo.InvariantCulture))),
        StoreUnreachableException => new DomainException(
            ErrorReason.StoreUnreachable, "The job store (Redis) does not answer; try again in a moment. Running jobs go on."),
        IOException full when StorageFullException.Is(full) => new DomainException(
            ErrorReason.StorageFull, "The disk of the artifact store is full: make room and try again. Earlier data is intact."),
        ArtifactCorruptException corrupt => new DomainException(
            ErrorReason.ArtifactCorrupt, corrupt.Message, ("artifact", corrupt.Sha256), ("file", corrupt.File)),
        ArtifactMissingException missing => new DomainException(
            ErrorReason.ArtifactCorrupt, missing.Message, ("artifact", missing.Sha256)),
        _ => null,
    };

    private static DomainException? FromPeer(RpcException rpc) => ErrorStatus.FromPeer(rpc) ?? rpc.StatusCode switch
    {
        StatusCode.Unavailable or StatusCode.DeadlineExceeded => new DomainException(
            ErrorReason.PeerUnreachable, "Another service of InstructTune does not answer; try again in a moment."),
        _ => null,
    };
}
