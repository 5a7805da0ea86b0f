namespace InstructTune.Client;

/// <summary>Reasons of failures that no server has named.</summary>
public static class LocalReasons
{
    /// <summary>Nothing answers at the address.</summary>
    public const string ServerUnreachable = "SERVER_UNREACHABLE";

    /// <summary>The connection broke, or took too long to be made.</summary>
    public const string ConnectionLost = "CONNECTION_LOST";

    /// <summary>No address was given and none was found.</summary>
    public const string ServerUnknown = "SERVER_UNKNOWN";

    /// <summary>The call ran past its deadline.</summary>
    public const string DeadlineExceeded = "DEADLINE_EXCEEDED";

    /// <summary>Something else listens at the address.</summary>
    public const string NotInstructTune = "NOT_INSTRUCTTUNE";

    /// <summary>A file or folder to upload is missing or cannot be read.</summary>
    public const string FileUnreadable = "FILE_UNREADABLE";

    /// <summary>The server failed without saying why.</summary>
    public const string Unexplained = "UNEXPLAINED";
}
