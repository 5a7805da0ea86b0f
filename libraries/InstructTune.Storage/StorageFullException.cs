namespace InstructTune.Storage;

/// <summary>The disk or its quota is full. What was stored before is intact.</summary>
public sealed class StorageFullException : IOException
{
    private const int NoSpaceLeft = 28;
    private const int QuotaExceeded = 122;

    public StorageFullException()
        : base("The disk is full. Free some space and try again; what was stored before is intact.")
    {
    }

    public StorageFullException(string message)
        : base(message)
    {
    }

    public StorageFullException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Whether the operating system refused a write for want of space.</summary>
    public static bool Is(IOException exception) =>
        exception is StorageFullException || (exception.HResult & 0xFFFF) is NoSpaceLeft or QuotaExceeded;

    public static StorageFullException Of(string path, IOException cause) =>
        new($"The disk is full: {Path.GetFileName(path)} could not be written. Free some space and try again; what was stored before is intact.", cause);
}
