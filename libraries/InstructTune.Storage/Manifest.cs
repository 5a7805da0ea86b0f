using System.Security.Cryptography;
using System.Text.Json;

namespace InstructTune.Storage;

/// <summary>
/// The list of an artifact's files. Equal files give equal bytes, so that the digest of those bytes names the artifact.
/// </summary>
public sealed class Manifest
{
    public const string FileName = "manifest.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private readonly byte[] _json;

    private Manifest(IReadOnlyList<StoredFile> files)
    {
        Files = files;
        SizeBytes = files.Sum(file => file.SizeBytes);
        _json = JsonSerializer.SerializeToUtf8Bytes(new ManifestFile(files), Json);
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(_json));
    }

    public IReadOnlyList<StoredFile> Files { get; }

    public string Sha256 { get; }

    public long SizeBytes { get; }

    public static Manifest Of(IEnumerable<StoredFile> files)
    {
        var ordered = files.OrderBy(file => file.Path, StringComparer.Ordinal).ToArray();
        for (var index = 0; index < ordered.Length; index++)
        {
            Check(ordered[index]);
            if (index > 0 && ordered[index].Path == ordered[index - 1].Path)
            {
                throw new InvalidDataException($"{FileName} lists {ordered[index].Path} twice.");
            }
        }

        return new Manifest(ordered);
    }

    public static Manifest Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var files = JsonSerializer.Deserialize<ManifestFile>(json, Json)?.Files;
            return files is not null && files.All(file => file is not null)
                ? Of(files)
                : throw new InvalidDataException($"{FileName} has no list `files` of path, size and digest.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{FileName} is not readable: {exception.Message}", exception);
        }
    }

    public byte[] ToJson() => [.. _json];

    // A manifest may come from outside: no path of it may leave the artifact's folder.
    private static void Check(StoredFile file)
    {
        var isInside = !string.IsNullOrEmpty(file.Path)
            && file.Path.Split('/').All(part => part is not ("" or "." or ".."))
            && !file.Path.Contains('\\', StringComparison.Ordinal)
            && !file.Path.Contains('\0', StringComparison.Ordinal)
            && file.Path != FileName;
        if (!isInside || file.SizeBytes < 0 || file.Sha256 is not { Length: 64 } || !file.Sha256.All(char.IsAsciiHexDigitLower))
        {
            throw new InvalidDataException(
                $"{FileName} has an entry that is no file of an artifact: path `{file.Path}`, size {file.SizeBytes}, digest `{file.Sha256}`.");
        }
    }

    private sealed record ManifestFile(IReadOnlyList<StoredFile>? Files);
}
