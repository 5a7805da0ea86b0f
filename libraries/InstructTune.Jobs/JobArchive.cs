using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using InstructTune.Storage;

namespace InstructTune.Jobs;

/// <summary>
/// What the disk keeps of the jobs of one queue, so that the store can be rebuilt from it: <c>spec.json</c> is written before
/// a job is created, <c>cancel.json</c> before a cancel is acknowledged, <c>attempt-N/claim.json</c> before an attempt works,
/// <c>events.jsonl</c> while it works, and <c>terminal.json</c> after the job has ended.
/// </summary>
internal sealed class JobArchive(string root, TimeProvider clock, IJobCheckpoints? checkpoints = null)
{
    // More than can have happened between the last look at the events and the loss of the store: no sequence names two events.
    internal const long SequencesLeftOut = 100_000;

    private const string SpecFile = "spec.json";
    private const string CancelFile = "cancel.json";
    private const string TerminalFile = "terminal.json";
    private const string AttemptPrefix = "attempt-";

    // Ids have no dot.
    private const string AsideSuffix = ".deleted";

    private static readonly JsonSerializerOptions Json = new(JobJson.Options)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>The ids of all jobs in the archive.</summary>
    public IEnumerable<string> Ids() =>
        Directory.Exists(root)
            ? Directory.EnumerateDirectories(root).Where(IsJob).Select(folder => Path.GetFileName(folder)!)
            : [];

    private void DeleteAside(string id)
    {
        if (Directory.Exists(AsideOf(id)))
        {
            Directory.Delete(AsideOf(id), recursive: true);
        }
    }

    private static bool IsJob(string folder) =>
        !folder.EndsWith(AsideSuffix, StringComparison.Ordinal) && File.Exists(Path.Combine(folder, SpecFile));

    public bool Contains(string id) => File.Exists(PathOf(id, SpecFile));

    public SpecWriting WriteSpec(NewJob job, DateTimeOffset? created = null)
    {
        var path = PathOf(job.Id, SpecFile);
        if (AtomicFile.TryCreate(path, JsonSerializer.SerializeToUtf8Bytes(new ArchivedSpec(job, created ?? clock.GetUtcNow()), Json)))
        {
            return SpecWriting.Written;
        }

        var earlier = Read<ArchivedSpec>(path)!.Job;
        return (earlier.RequestId == job.RequestId, earlier.BodySha256 == job.BodySha256 && earlier.SpecSha256 == job.SpecSha256) switch
        {
            (true, true) => SpecWriting.WasThere,
            (true, false) when job.RequestId.Length > 0 => SpecWriting.RequestReused,
            _ => SpecWriting.IdTaken,
        };
    }

    public void RemoveSpec(string id)
    {
        File.Delete(PathOf(id, SpecFile));
        if (Directory.Exists(FolderOf(id)) && !Directory.EnumerateFileSystemEntries(FolderOf(id)).Any())
        {
            Directory.Delete(FolderOf(id));
        }
    }

    public void WriteCancel(string id, CancelCause cause)
    {
        if (Contains(id) && !File.Exists(PathOf(id, CancelFile)))
        {
            AtomicFile.Write(PathOf(id, CancelFile), JsonSerializer.SerializeToUtf8Bytes(new ArchivedCancel(cause), Json));
        }
    }

    public void RemoveCancel(string id) => Remove(PathOf(id, CancelFile));

    /// <summary>The job is to be queued again.</summary>
    public void Reopen(string id)
    {
        Remove(PathOf(id, CancelFile));
        Remove(PathOf(id, TerminalFile));
    }

    /// <summary>Takes the number of an attempt, once; false where it was used before, so that the store was rebuilt.</summary>
    public bool TryClaim(JobRecord job) =>
        AtomicFile.TryCreate(
            Path.Combine(AttemptFolder(job.Id, job.Attempt), "claim.json"),
            JsonSerializer.SerializeToUtf8Bytes(new { job = job.Id, attempt = job.Attempt, owner = job.Owner }, Json));

    public void WriteTerminal(JobRecord job) =>
        AtomicFile.Write(
            PathOf(job.Id, TerminalFile),
            JsonSerializer.SerializeToUtf8Bytes(
                new ArchivedEnd(job.State, job.Ended ?? clock.GetUtcNow(), job.Attempt, job.LastSequence, job.Checkpoint, job.Step, job.Result, job.Error, job.CancelCause),
                Json));

    /// <summary>The events of a job that are kept however many there are.</summary>
    public ArchivedEvents Events(string id) => new(PathOf(id, "events.jsonl"));

    /// <summary>A job as the store should have it; null where there is no such job.</summary>
    public RestoredJob? Restore(string id)
    {
        if (Read<ArchivedSpec>(PathOf(id, SpecFile)) is not { } spec)
        {
            return null;
        }

        var restored = new RestoredJob { New = spec.Job, Created = spec.Created, Age = clock.GetUtcNow() - spec.Created, Attempt = LastAttempt(id) };
        if (Read<ArchivedEnd>(PathOf(id, TerminalFile)) is { } end)
        {
            return restored with
            {
                State = end.State,
                Attempt = Math.Max(restored.Attempt, end.Attempt),
                Ended = end.Ended,
                LastSequence = end.LastSequence,
                Checkpoint = end.Checkpoint,
                Step = end.Step,
                Result = end.Result,
                Error = end.Error,
                Cause = end.Cause,
            };
        }

        var lastSequence = Events(id).LastSequence();
        var (checkpoint, step) = checkpoints?.Newest(id) ?? ("", -1);
        restored = restored with
        {
            LastSequence = lastSequence > 0 || restored.Attempt > 0 ? lastSequence + SequencesLeftOut : 0,
            Checkpoint = checkpoint,
            Step = step,
        };
        return Read<ArchivedCancel>(PathOf(id, CancelFile)) is { } cancel
            ? restored with
            {
                State = JobState.Cancelled,
                Cause = cancel.Cause,
                Error = cancel.Cause == CancelCause.Pause ? JobFault.Paused : JobFault.Cancelled,
            }
            : restored;
    }

    /// <summary>Takes a job out of the archive without losing it yet: <see cref="Delete"/> or <see cref="PutBack"/> follows.</summary>
    public void SetAside(string id)
    {
        if (Directory.Exists(FolderOf(id)) && !Directory.Exists(AsideOf(id)))
        {
            Directory.Move(FolderOf(id), AsideOf(id));
        }
    }

    /// <summary>The jobs whose deletion was begun; one that died in the middle left its job here.</summary>
    public IEnumerable<string> Aside() =>
        Directory.Exists(root) ? Directory.EnumerateDirectories(root, "*" + AsideSuffix).Select(folder => Path.GetFileNameWithoutExtension(folder)!) : [];

    public void PutBack(string id)
    {
        if (Directory.Exists(AsideOf(id)) && !Directory.Exists(FolderOf(id)))
        {
            Directory.Move(AsideOf(id), FolderOf(id));
        }
    }

    public void Delete(string id)
    {
        // Again where somebody put it back in between.
        while (Directory.Exists(FolderOf(id)) || Directory.Exists(AsideOf(id)))
        {
            SetAside(id);
            DeleteAside(id);
        }
    }

    /// <summary>Ends a deletion that died half-way, by whether the store still has the job.</summary>
    public void Settle(string id, bool isInStore)
    {
        if (isInStore)
        {
            PutBack(id);
        }

        // A new job of that id has a folder of its own.
        DeleteAside(id);
    }

    private int LastAttempt(string id) => Directory.EnumerateDirectories(FolderOf(id), AttemptPrefix + "*")
        .Select(folder => int.TryParse(Path.GetFileName(folder)[AttemptPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var attempt) ? attempt : 0)
        .DefaultIfEmpty(0)
        .Max();

    private static T? Read<T>(string path)
        where T : class => File.Exists(path) ? JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Json) : null;

    private static void Remove(string path)
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    private string AttemptFolder(string id, int attempt) => Path.Combine(FolderOf(id), string.Create(CultureInfo.InvariantCulture, $"{AttemptPrefix}{attempt}"));

    private string PathOf(string id, string file) => Path.Combine(FolderOf(id), file);

    private string FolderOf(string id) => Path.Combine(root, id);

    private string AsideOf(string id) => FolderOf(id) + AsideSuffix;

    private sealed record ArchivedSpec(NewJob Job, DateTimeOffset Created);

    private sealed record ArchivedCancel(CancelCause Cause);

    private sealed record ArchivedEnd(
        JobState State, DateTimeOffset Ended, int Attempt, long LastSequence, string Checkpoint, long Step, string Result, JobFault? Error, CancelCause? Cause);
}

/// <summary>What became of writing a spec.</summary>
internal enum SpecWriting
{
    Written,

    /// <summary>The same request wrote it before.</summary>
    WasThere,
    RequestReused,
    IdTaken,
}

/// <summary>Finds what a job can go on from when the store no longer says.</summary>
public interface IJobCheckpoints
{
    /// <summary>The newest checkpoint that verifies, as the job record names it; null where there is none.</summary>
    (string Checkpoint, long Step)? Newest(string jobId);
}
