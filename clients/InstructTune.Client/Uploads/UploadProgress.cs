namespace InstructTune.Client;

/// <summary>How far an upload is.</summary>
/// <param name="FileName">The file being sent.</param>
/// <param name="SentBytes">Of all files so far.</param>
/// <param name="TotalBytes">Of all files.</param>
public readonly record struct UploadProgress(string FileName, long SentBytes, long TotalBytes);
