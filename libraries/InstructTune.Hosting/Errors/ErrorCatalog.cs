using Grpc.Core;
using InstructTune.V1;

namespace InstructTune.Hosting;

/// <summary>The gRPC status of every reason, and which of them a client may simply try again.</summary>
public static class ErrorCatalog
{
    /// <summary>The <c>ErrorInfo.domain</c> of everything that InstructTune answers.</summary>
    public const string Domain = "instructtune.dev";

    private const string Prefix = "ERROR_REASON_";

    private static readonly Dictionary<string, ErrorReason> _byName =
        Enum.GetValues<ErrorReason>().ToDictionary(NameOf, StringComparer.Ordinal);

    public static StatusCode CodeOf(ErrorReason reason) => reason switch
    {
        ErrorReason.FieldInvalid or ErrorReason.PageTokenMismatch or ErrorReason.PromptTooLong
            or ErrorReason.DataInvalid or ErrorReason.ModelFilesInvalid => StatusCode.InvalidArgument,
        ErrorReason.ApiKeyInvalid => StatusCode.Unauthenticated,
        ErrorReason.AdminKeyRequired => StatusCode.PermissionDenied,
        ErrorReason.ResourceNotFound => StatusCode.NotFound,
        ErrorReason.ResourceExists => StatusCode.AlreadyExists,
        ErrorReason.JobNotResumable or ErrorReason.JobNotRunning or ErrorReason.JobNotEnded or ErrorReason.RequestIdReused or ErrorReason.RunsNotComparable
            or ErrorReason.ModelDoesNotFit or ErrorReason.WrongKind or ErrorReason.PromptFormatMissing
            or ErrorReason.WeightFormatNotServed => StatusCode.FailedPrecondition,
        ErrorReason.EtagMismatch => StatusCode.Aborted,
        ErrorReason.QueueFull or ErrorReason.StorageFull => StatusCode.ResourceExhausted,
        ErrorReason.EventsTrimmed => StatusCode.OutOfRange,
        ErrorReason.Draining or ErrorReason.StoreUnreachable or ErrorReason.PeerUnreachable => StatusCode.Unavailable,
        ErrorReason.ArtifactCorrupt => StatusCode.DataLoss,
        _ => StatusCode.Internal,
    };

    /// <summary>How long a client should wait before it tries again; null where trying again is of no use.</summary>
    public static TimeSpan? RetryDelayOf(ErrorReason reason) => reason switch
    {
        ErrorReason.QueueFull or ErrorReason.Draining or ErrorReason.StoreUnreachable or ErrorReason.PeerUnreachable =>
            TimeSpan.FromSeconds(1),
        _ => null,
    };

    /// <summary>The stable name that clients match on, such as <c>RESOURCE_NOT_FOUND</c>.</summary>
    public static string NameOf(ErrorReason reason) => OriginalName(reason)[Prefix.Length..];

    /// <summary>The reason of a stable name; null for a name that this version does not know.</summary>
    public static ErrorReason? Find(string name) => _byName.TryGetValue(name, out var reason) ? reason : null;

    private static string OriginalName(ErrorReason reason) =>
        ErrorsReflection.Descriptor.EnumTypes[0].FindValueByNumber((int)reason)?.Name ?? Prefix + "UNSPECIFIED";
}
