using System.Security.Cryptography;
using System.Text.Json;
using InstructTune.Storage;

namespace InstructTune.Trainer.Checkpoints;

/// <summary>
/// The file that is written last: what the checkpoint is of, and every other file with size and digest. A folder without it is no
/// checkpoint.
/// </summary>
internal sealed record CheckpointManifest
{
    public const string FileName = "manifest.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public required string Job { get; init; }

    public required int Attempt { get; init; }

    /// <summary>Optimizer steps since the start of the job.</summary>
    public required long Step { get; init; }

    public required string StageId { get; init; }

    /// <summary>Whether the stage ends here.</summary>
    public bool IsStageEnd { get; init; }

    /// <summary>Where this step was validated.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Where this step was validated: what the best has least of.</summary>
    public double? Cost { get; init; }

    /// <summary>The accepted checkpoints that were kept when this one was written, newest first.</summary>
    public required IReadOnlyList<KeptCheckpoint> Earlier { get; init; }

    public required string SpecSha256 { get; init; }

    public required IReadOnlyDictionary<string, string> Numerics { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    public required IReadOnlyList<StoredFile> Files { get; init; }

    public long SizeBytes => Files.Sum(file => file.SizeBytes);

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Reads the manifest of a folder and compares its digest.</summary>
    /// <exception cref="CheckpointCorruptException">It is missing or not the one that was accepted.</exception>
    public static CheckpointManifest Read(string folder, CheckpointReference reference)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new CheckpointCorruptException(reference, FileName, "is missing");
        }

        var content = File.ReadAllBytes(path);
        return Digest(content) == reference.ManifestSha256
            ? JsonSerializer.Deserialize<CheckpointManifest>(content, Json)!
            : throw new CheckpointCorruptException(reference, FileName, "does not have its digest");
    }

    /// <summary>Null where the content is no manifest.</summary>
    public static CheckpointManifest? TryParse(byte[] content)
    {
        try
        {
            return JsonSerializer.Deserialize<CheckpointManifest>(content, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Every file has the size and the digest it was accepted with.</summary>
    /// <exception cref="CheckpointCorruptException">One has not.</exception>
    public void Verify(string folder, CheckpointReference reference)
    {
        foreach (var file in Files)
        {
            var info = new FileInfo(Path.Combine(folder, file.Path));
            if (!info.Exists)
            {
                throw new CheckpointCorruptException(reference, file.Path, "is missing");
            }

            if (info.Length != file.SizeBytes || Describe(info).Sha256 != file.Sha256)
            {
                throw new CheckpointCorruptException(reference, file.Path, "does not have its digest");
            }
        }
    }

    public static StoredFile Describe(FileInfo file)
    {
        using var stream = file.OpenRead();
        return new StoredFile(file.Name, file.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    public static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}

/// <summary>What retention needs to know of a checkpoint, and later ones of earlier ones.</summary>
/// <param name="Reference">As the job's record names it.</param>
/// <param name="StageId">What was trained.</param>
/// <param name="IsStageEnd">Whether that stage ends there.</param>
/// <param name="Cost">What the best of a stage has least of, such as the loss; null where the step was not validated.</param>
internal sealed record KeptCheckpoint(string Reference, string StageId, bool IsStageEnd, double? Cost);

/// <summary>A file of a checkpoint is not what it was when the checkpoint was accepted.</summary>
internal sealed class CheckpointCorruptException(CheckpointReference reference, string file, string problem)
    : Exception($"{file} of checkpoint {reference.Id} {problem}.")
{
    public CheckpointReference Reference { get; } = reference;

    public string File { get; } = file;
}
