using System.Text.Json;
using System.Text.Json.Serialization;

namespace InstructTune.Storage;

/// <summary>Documents as files: <c>documents/COLLECTION/ID.json</c>, each seen whole or not at all.</summary>
public sealed class DocumentStore(StorageOptions options, TimeProvider clock) : IDocumentStore
{
    private const string Suffix = ".json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    private readonly string _root = Path.Combine(options.Root, "documents");
    private readonly Lock _lock = new();
    private DateTimeOffset _newest;

    public bool TryCreate<T>(string collection, string id, T content)
    {
        lock (_lock)
        {
            return AtomicFile.TryCreate(PathOf(collection, id), Serialize(new Stored<T>(Now(), content)));
        }
    }

    public void Put<T>(string collection, string id, T content)
    {
        lock (_lock)
        {
            var path = PathOf(collection, id);
            var createTime = Read<JsonElement>(path)?.CreateTime ?? Now();
            AtomicFile.Write(path, Serialize(new Stored<T>(createTime, content)));
        }
    }

    public Document<T>? Find<T>(string collection, string id) =>
        Read<T>(PathOf(collection, id)) is { } stored ? new Document<T>(id, stored.CreateTime, stored.Content) : null;

    public bool Delete(string collection, string id)
    {
        lock (_lock)
        {
            var path = PathOf(collection, id);
            if (!File.Exists(path))
            {
                return false;
            }

            File.Delete(path);
            Posix.SyncFolder(Path.GetDirectoryName(path)!);
            return true;
        }
    }

    public DocumentPage<T> List<T>(string collection, int pageSize, string pageToken)
    {
        var before = pageToken.Length == 0 ? null : DocumentCursor.Parse(PageToken.Decode(collection, pageToken));
        var size = PageSize.Of(pageSize);
        var items = ReadAll<T>(collection)
            .Where(document => before is null || before.CompareTo(DocumentCursor.Of(document)) > 0)
            .OrderByDescending(DocumentCursor.Of)
            .Take(size + 1)
            .ToArray();
        return items.Length <= size
            ? new DocumentPage<T>(items, "")
            : new DocumentPage<T>(items[..size], PageToken.Encode(collection, DocumentCursor.Of(items[size - 1]).ToString()));
    }

    private IEnumerable<Document<T>> ReadAll<T>(string collection)
    {
        var folder = FolderOf(collection);
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        // Names that begin with a dot are files still being written.
        foreach (var path in Directory.EnumerateFiles(folder, "*" + Suffix).Where(path => Path.GetFileName(path)[0] != '.'))
        {
            if (Read<T>(path) is { } stored)
            {
                yield return new Document<T>(Path.GetFileNameWithoutExtension(path), stored.CreateTime, stored.Content);
            }
        }
    }

    private static Stored<T>? Read<T>(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Stored<T>>(File.ReadAllBytes(path), Json);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"The document {Path.GetFileName(path)} is not readable: {exception.Message}", exception);
        }
    }

    private static byte[] Serialize<T>(Stored<T> stored) => JsonSerializer.SerializeToUtf8Bytes(stored, Json);

    // Two documents of one process never share a create time, so that newest first is one order.
    private DateTimeOffset Now()
    {
        var now = clock.GetUtcNow();
        _newest = now > _newest ? now : _newest.AddTicks(1);
        return _newest;
    }

    private string PathOf(string collection, string id) => Path.Combine(FolderOf(collection), Part(id) + Suffix);

    private string FolderOf(string collection) => Path.Combine([_root, .. collection.Split('/').Select(Part)]);

    private static string Part(string part) =>
        part.Length is > 0 and <= 200
            && part[0] != '.'
            && part.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.')
            && !part.EndsWith(Suffix, StringComparison.Ordinal)
            ? part
            : throw new ArgumentException($"`{part}` cannot be part of a document's name: use letters, digits, `-`, `_` and `.`.", nameof(part));

    private sealed record Stored<T>(DateTimeOffset CreateTime, T Content);
}
