using InstructTune.Storage;

namespace InstructTune.Dataset.Import;

/// <summary>The next bytes of a file of an upload.</summary>
internal readonly record struct FileChunk(string FileName, ReadOnlyMemory<byte> Bytes);

/// <summary>Writes what arrives into a folder, one file after another. Names of callers never become paths.</summary>
internal static class UploadedFiles
{
    public static async Task<IReadOnlyList<SourceFile>> ReceiveAsync(IAsyncEnumerable<FileChunk> chunks, string folder, CancellationToken ct)
    {
        var files = new List<SourceFile>();
        FileStream? current = null;
        try
        {
            await foreach (var chunk in chunks.WithCancellation(ct))
            {
                if (current is null || files[^1].Name != chunk.FileName)
                {
                    RefuseReturn(files, chunk.FileName);
                    if (current is not null)
                    {
                        await current.DisposeAsync();
                    }

                    files.Add(new SourceFile(chunk.FileName, Path.Combine(folder, $"source-{files.Count:d6}")));
                    current = new FileStream(files[^1].Path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, useAsync: true);
                }

                FailPoint.Hit("upload.before-write");
                await current.WriteAsync(chunk.Bytes, ct);
            }
        }
        finally
        {
            if (current is not null)
            {
                await current.DisposeAsync();
            }
        }

        return files;
    }

    private static void RefuseReturn(List<SourceFile> files, string name)
    {
        if (files.Any(f => f.Name == name))
        {
            throw new SourceInvalidException(name, 1, "its chunks must follow one another, without those of another file between them");
        }
    }
}
