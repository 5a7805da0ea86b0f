using InstructTune.V1;

namespace InstructTune.Hosting;

/// <summary>
/// A failure that a caller can understand. The one way for a service to fail a call: <see cref="ErrorInterceptor"/>
/// turns it into a status. Everything that varies in the message is also in <see cref="Metadata"/>.
/// </summary>
public sealed class DomainException : Exception
{
    public DomainException(ErrorReason reason, string message, params (string Key, string Value)[] metadata)
        : this(reason, message, metadata.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal), [])
    {
    }

    public DomainException(
        ErrorReason reason,
        string message,
        IReadOnlyDictionary<string, string> metadata,
        IReadOnlyList<FieldViolation> violations,
        Exception? innerException = null)
        : base(message, innerException)
    {
        Reason = reason;
        Metadata = metadata;
        Violations = violations;
    }

    public ErrorReason Reason { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>What is wrong with the request, when the reason is <c>FIELD_INVALID</c>.</summary>
    public IReadOnlyList<FieldViolation> Violations { get; }

    /// <summary>When trying again may help, where that is known better than <see cref="ErrorCatalog.RetryDelayOf"/> does.</summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>A resource that does not exist.</summary>
    public static DomainException NotFound(string resourceName) =>
        new(ErrorReason.ResourceNotFound, $"{resourceName} does not exist.", ("resource", resourceName));

    /// <summary>A resource whose ID is taken.</summary>
    public static DomainException Exists(string resourceName) =>
        new(ErrorReason.ResourceExists, $"{resourceName} exists already.", ("resource", resourceName));
}

/// <summary>One field of a request and what is wrong with it.</summary>
public sealed record FieldViolation(string Field, string Problem);
