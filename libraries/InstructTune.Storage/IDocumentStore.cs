namespace InstructTune.Storage;

/// <summary>Small JSON documents in collections; collections may nest, as in <c>models/x/versions</c>.</summary>
public interface IDocumentStore
{
    /// <summary>False, and nothing changed, where the id is taken.</summary>
    bool TryCreate<T>(string collection, string id, T content);

    /// <summary>Creates or replaces; a replaced document keeps its create time.</summary>
    void Put<T>(string collection, string id, T content);

    Document<T>? Find<T>(string collection, string id);

    bool Delete(string collection, string id);

    /// <summary>Newest first. A page size of 0 means 50; over 1,000 means 1,000.</summary>
    /// <exception cref="PageTokenMismatchException">The token is of another collection, or none of ours.</exception>
    DocumentPage<T> List<T>(string collection, int pageSize, string pageToken);
}

public sealed record Document<T>(string Id, DateTimeOffset CreateTime, T Content);

/// <summary>The token is empty on the last page.</summary>
public sealed record DocumentPage<T>(IReadOnlyList<Document<T>> Items, string NextPageToken);
