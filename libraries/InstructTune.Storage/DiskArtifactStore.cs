using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace InstructTune.Storage;

/// <summary>Artifacts as folders below <c>artifacts/</c>: whole and verified, or not there.</summary>
public sealed class DiskArtifactStore(StorageOptions options) : IArtifactStore
{
    private const int BufferBytes = 1 << 20;

    private readonly string _artifacts = Path.Combine(options.Root, "artifacts");
    private readonly string _staging = Path.Combine(options.Root, "staging");
    private readonly ConcurrentDictionary<string, ArtifactFolder> _verified = new();

    /// <summary>
    /// Removes what crashed writers left in staging: folders in which nothing changed for the given time. Whoever still writes
    /// into one does so more often.
    /// </summary>
    public int SweepStaging(TimeSpan unchanged, DateTimeOffset now)
    {
        if (!Directory.Exists(_staging))
        {
            return 0;
        }

        var orphans = Directory.EnumerateDirectories(_staging)
            .Where(folder => now.UtcDateTime - Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
                .Prepend(folder).Max(Directory.GetLastWriteTimeUtc) > unchanged)
            .ToArray();
        foreach (var orphan in orphans)
        {
            Directory.Delete(orphan, recursive: true);
        }

        return orphans.Length;
    }

    public StagingFolder CreateStaging()
    {
        Directory.CreateDirectory(_artifacts);
        return new StagingFolder(Path.Combine(_staging, Guid.NewGuid().ToString("N")));
    }

    public async Task<Manifest> PublishAsync(StagingFolder staging, CancellationToken ct)
    {
        try
        {
            var manifest = await HashAsync(staging.Path, ct);
            if (Directory.Exists(PathOf(manifest.Sha256)))
            {
                staging.Dispose();
                return manifest;
            }

            FailPoint.Hit("artifact.before-write");
            AtomicFile.Write(Path.Combine(staging.Path, Manifest.FileName), manifest.ToJson());
            SyncFolders(staging.Path);
            Rename(staging, manifest.Sha256);
            return manifest;
        }
        catch (IOException exception) when (StorageFullException.Is(exception) && exception is not StorageFullException)
        {
            throw StorageFullException.Of(staging.Path, exception);
        }
    }

    public bool Contains(string sha256) => Directory.Exists(PathOf(sha256));

    public async Task<ArtifactFolder> OpenAsync(string sha256, CancellationToken ct)
    {
        var path = PathOf(sha256);
        if (!Directory.Exists(path))
        {
            _verified.TryRemove(sha256, out _);
            throw new ArtifactMissingException(sha256);
        }

        if (!_verified.TryGetValue(sha256, out var folder))
        {
            folder = await VerifyAsync(path, sha256, ct);
            _verified[sha256] = folder;
        }

        return folder;
    }

    public void Delete(string sha256)
    {
        var path = PathOf(sha256);
        _verified.TryRemove(sha256, out _);
        if (!Directory.Exists(path))
        {
            return;
        }

        // Out of the store in one step, so that no reader finds half an artifact.
        Directory.CreateDirectory(_staging);
        var removed = Path.Combine(_staging, Guid.NewGuid().ToString("N"));
        Directory.Move(path, removed);
        Posix.SyncFolder(_artifacts);
        Directory.Delete(removed, recursive: true);
    }

    private static async Task<Manifest> HashAsync(string folder, CancellationToken ct)
    {
        var files = new List<StoredFile>();
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(folder, path);
            if (File.ResolveLinkTarget(path, returnFinalTarget: false) is not null)
            {
                throw new InvalidDataException($"{name} is a symbolic link: an artifact holds files only.");
            }

            AtomicFile.Sync(path);
            files.Add(new StoredFile(name, new FileInfo(path).Length, await DigestAsync(path, ct)));
        }

        return Manifest.Of(files);
    }

    private static async Task<ArtifactFolder> VerifyAsync(string path, string sha256, CancellationToken ct)
    {
        var manifest = ReadManifest(path, sha256);
        foreach (var file in manifest.Files)
        {
            var info = new FileInfo(Path.Combine(path, file.Path));
            if (!info.Exists || info.Length != file.SizeBytes || await DigestAsync(info.FullName, ct) != file.Sha256)
            {
                throw new ArtifactCorruptException(sha256, file.Path);
            }
        }

        return new ArtifactFolder(path, manifest);
    }

    private static Manifest ReadManifest(string path, string sha256)
    {
        try
        {
            var json = File.ReadAllBytes(Path.Combine(path, Manifest.FileName));
            var manifest = Manifest.Parse(json);

            // Byte for byte: a name in other letters would be read as the same.
            return manifest.Sha256 == sha256 && json.AsSpan().SequenceEqual(manifest.ToJson()) ? manifest : throw new ArtifactCorruptException(sha256, Manifest.FileName);
        }
        catch (Exception exception) when (exception is InvalidDataException or FileNotFoundException)
        {
            throw new ArtifactCorruptException(sha256, Manifest.FileName);
        }
    }

    private static async Task<string> DigestAsync(string path, CancellationToken ct)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, useAsync: false);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, ct));
    }

    private static void SyncFolders(string folder)
    {
        foreach (var inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
        {
            Posix.SyncFolder(inner);
        }

        Posix.SyncFolder(folder);
    }

    private void Rename(StagingFolder staging, string sha256)
    {
        try
        {
            Directory.Move(staging.Path, PathOf(sha256));
        }
        catch (IOException) when (Directory.Exists(PathOf(sha256)))
        {
            // Another writer published the same content in the meantime.
            staging.Dispose();
        }

        Posix.SyncFolder(_artifacts);
    }

    private string PathOf(string sha256) =>
        sha256 is { Length: 64 } && sha256.All(char.IsAsciiHexDigitLower)
            ? Path.Combine(_artifacts, sha256)
            : throw new ArgumentException($"`{sha256}` is not a SHA-256 in lower-case hexadecimal.", nameof(sha256));
}
