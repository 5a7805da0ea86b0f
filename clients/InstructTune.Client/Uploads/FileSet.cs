using Google.Protobuf;

namespace InstructTune.Client;

/// <summary>The files of one upload, in the order sent. Checks that they can be read before anything is sent.</summary>
internal sealed class FileSet
{
    // Half of the largest chunk the API takes; larger ones gain nothing over loopback.
    private const int ChunkSizeBytes = 512 * 1024;
    private const int MaxNameLength = 128;

    private FileSet(IReadOnlyList<FileInfo> files)
    {
        Files = files;
        TotalBytes = files.Sum(file => file.Length);
    }

    public IReadOnlyList<FileInfo> Files { get; }

    public long TotalBytes { get; }

    /// <summary>Files as given; a folder stands for the files in it with one of the extensions, in ordinal order.</summary>
    public static FileSet Of(IEnumerable<string> paths, params string[] extensions)
    {
        var files = new List<FileInfo>();
        foreach (var path in paths)
        {
            if (Directory.Exists(path))
            {
                var found = InFolder(path, extensions);
                files.AddRange(found.Count > 0 ? found : throw Unreadable($"The folder {path} holds no {string.Join(" or ", extensions)} file."));
            }
            else
            {
                files.Add(File.Exists(path) ? new FileInfo(path) : throw Unreadable($"There is no file or folder {path}."));
            }
        }

        Check(files);
        return new FileSet(files);
    }

    public async Task SendAsync(
        Func<string, ByteString, Task> sendChunk, IProgress<UploadProgress>? progress, CancellationToken ct)
    {
        var buffer = new byte[ChunkSizeBytes];
        long sentBytes = 0;
        foreach (var file in Files)
        {
            await using var stream = Open(file);
            int readBytes;
            do
            {
                readBytes = await stream.ReadAtLeastAsync(buffer, ChunkSizeBytes, throwOnEndOfStream: false, ct);
                await sendChunk(file.Name, ByteString.CopyFrom(buffer, 0, readBytes));
                sentBytes += readBytes;
                progress?.Report(new UploadProgress(file.Name, sentBytes, TotalBytes));
            }
            while (readBytes == ChunkSizeBytes);
        }
    }

    private static List<FileInfo> InFolder(string folder, string[] extensions) =>
    [
        .. new DirectoryInfo(folder).EnumerateFiles()
            .Where(file => extensions.Contains(file.Extension, StringComparer.OrdinalIgnoreCase) && !file.Name.StartsWith('.'))
            .OrderBy(file => file.Name, StringComparer.Ordinal),
    ];

    private static void Check(List<FileInfo> files)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (file.Name.Length > MaxNameLength)
            {
                throw Unreadable($"The name of {file.FullName} is longer than {MaxNameLength} characters: rename the file.");
            }

            if (!names.Add(file.Name))
            {
                throw Unreadable($"Two of the files are called {file.Name}: rename one of them.");
            }

            Open(file).Dispose();
        }
    }

    private static FileStream Open(FileInfo file)
    {
        try
        {
            return new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable($"The file {file.FullName} cannot be read: {e.Message}", e);
        }
    }

    private static InstructTuneException Unreadable(string message, Exception? cause = null) =>
        InstructTuneException.Local(LocalReasons.FileUnreadable, message, cause);
}
