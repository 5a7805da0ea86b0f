using InstructTune.Storage;

namespace InstructTune.Trainer.Checkpoints;

/// <summary>
/// Checkpoint folders below <c>jobs/ID/attempt-N/step-NNNNNNNN/</c>. Each appears whole or not at all; which of them count is for the job record to
/// say, never for the newest folder.
/// </summary>
internal sealed class CheckpointStore(StorageOptions storage, TimeProvider time)
{
    /// <summary>The folder of an attempt, in which no other attempt writes.</summary>
    public string AttemptFolder(string jobId, int attempt) => Path.Combine(JobFolder(jobId), $"attempt-{attempt}");

    /// <summary>
    /// Writes a checkpoint: every file beside, flushed; the manifest last; then the folder gets its name.
    /// <paramref name="manifest"/> has all but the files.
    /// </summary>
    public CheckpointReference Write(CheckpointManifest manifest, Action<string> writeFiles)
    {
        var place = new CheckpointReference(manifest.Attempt, manifest.Step, "");
        var folder = Path.Combine(JobFolder(manifest.Job), place.Path);
        var temporary = folder + ".tmp";
        Remove(temporary);

        // What the record does not name was never accepted: a leftover of this attempt from before a store outage.
        Remove(folder);
        Directory.CreateDirectory(temporary);
        try
        {
            FailPoint.Hit("checkpoint.before-write");
            writeFiles(temporary);
            FailPoint.Hit("checkpoint.after-write");
            var files = new DirectoryInfo(temporary).EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal);
            var complete = manifest with { CreateTime = time.GetUtcNow(), Files = [.. files.Select(CheckpointManifest.Describe)] };
            var content = complete.ToJson();
            AtomicFile.Write(Path.Combine(temporary, CheckpointManifest.FileName), content);
            AtomicFolder.Publish(temporary, folder, "checkpoint");
            return place with { ManifestSha256 = CheckpointManifest.Digest(content) };
        }
        catch
        {
            Remove(temporary);
            throw;
        }
    }

    /// <summary>The folder of a checkpoint whose files are all as they were accepted.</summary>
    /// <exception cref="CheckpointCorruptException">They are not.</exception>
    public (string Folder, CheckpointManifest Manifest) Open(string jobId, CheckpointReference reference)
    {
        var folder = FolderOf(jobId, reference);
        var manifest = CheckpointManifest.Read(folder, reference);
        manifest.Verify(folder, reference);
        return (folder, manifest);
    }

    /// <summary>The accepted checkpoints that are kept, from <paramref name="newest"/> backwards. Only their manifests are verified.</summary>
    public IEnumerable<(CheckpointReference Reference, CheckpointManifest Manifest)> Chain(string jobId, CheckpointReference? newest)
    {
        if (newest is null || !Directory.Exists(FolderOf(jobId, newest)))
        {
            yield break;
        }

        var manifest = CheckpointManifest.Read(FolderOf(jobId, newest), newest);
        yield return (newest, manifest);
        foreach (var reference in manifest.Earlier.Select(earlier => CheckpointReference.Parse(earlier.Reference)!))
        {
            if (Directory.Exists(FolderOf(jobId, reference)))
            {
                yield return (reference, CheckpointManifest.Read(FolderOf(jobId, reference), reference));
            }
        }
    }

    /// <summary>
    /// The newest folder of an earlier step whose manifest is of this place and spec: for when the manifest that would name it is damaged. Retention leaves only
    /// accepted folders behind.
    /// </summary>
    public CheckpointReference? NewestBefore(string jobId, string specSha256, long step) =>
        Published(jobId).FirstOrDefault(reference => reference.Step < step && IsOf(jobId, specSha256, reference));

    /// <summary>Every folder that has its name and a manifest, the newest first, whether a record names it or not.</summary>
    public IEnumerable<CheckpointReference> Published(string jobId) =>
        Directory.EnumerateDirectories(JobFolder(jobId), "attempt-*")
            .SelectMany(attempt => Directory.EnumerateDirectories(attempt, "step-*"))
            .Select(folder => (Folder: folder, Manifest: Path.Combine(folder, CheckpointManifest.FileName)))
            // A folder that is still being written has another name, and may have its manifest already.
            .Where(found => !found.Folder.EndsWith(".tmp", StringComparison.Ordinal) && File.Exists(found.Manifest))
            .Select(found => CheckpointReference.Parse(
                $"{Path.GetRelativePath(JobFolder(jobId), found.Folder)}@{CheckpointManifest.Digest(File.ReadAllBytes(found.Manifest))}")!)
            .OrderByDescending(reference => (reference.Step, reference.Attempt));

    /// <summary>
    /// Removes all checkpoints but those named, leftovers of earlier attempts included. For the holder of the job only; what later attempts than that of
    /// <paramref name="newest"/> wrote is left alone, in case this one is late without knowing it.
    /// </summary>
    public void Retain(string jobId, CheckpointReference newest, IEnumerable<CheckpointReference> kept)
    {
        var paths = kept.Select(reference => reference.Path).ToHashSet(StringComparer.Ordinal);
        for (var attempt = 1; attempt <= newest.Attempt; attempt++)
        {
            var folder = AttemptFolder(jobId, attempt);
            if (!Directory.Exists(folder))
            {
                continue;
            }

            foreach (var step in Directory.EnumerateDirectories(folder, "step-*").ToArray())
            {
                if (!paths.Contains(Path.GetRelativePath(JobFolder(jobId), step)))
                {
                    Remove(step);
                }
            }
        }
    }

    private bool IsOf(string jobId, string specSha256, CheckpointReference reference) =>
        CheckpointManifest.TryParse(File.ReadAllBytes(Path.Combine(FolderOf(jobId, reference), CheckpointManifest.FileName))) is { } manifest
        && (manifest.Job, manifest.SpecSha256, manifest.Attempt, manifest.Step) == (jobId, specSha256, reference.Attempt, reference.Step);

    private string FolderOf(string jobId, CheckpointReference reference) => Path.Combine(JobFolder(jobId), reference.Path);

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private string JobFolder(string jobId) => Path.Combine(storage.Root, "jobs", jobId);
}
