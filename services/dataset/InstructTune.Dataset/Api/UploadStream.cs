using System.Runtime.CompilerServices;
using Grpc.Core;
using InstructTune.Dataset.Import;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Dataset.Api;

/// <summary>An upload as it arrives: a header, then chunks, each checked.</summary>
internal static class UploadStream
{
    private const int MaxFileNameLength = 128;
    private const int MaxChunkBytes = 1 << 20;

    public static async Task<(UploadDatasetRequest.Types.Header Header, IAsyncEnumerable<FileChunk> Chunks)> OpenAsync(
        IAsyncStreamReader<UploadDatasetRequest> stream, CancellationToken ct)
    {
        var isHeader = await stream.MoveNext(ct)
            && stream.Current.PayloadCase == UploadDatasetRequest.PayloadOneofCase.Header;
        new FieldViolations().Check(isHeader, "header", "must be the first message").ThrowIfAny();
        return (stream.Current.Header, ReadChunksAsync(stream, ct));
    }

    private static async IAsyncEnumerable<FileChunk> ReadChunksAsync(
        IAsyncStreamReader<UploadDatasetRequest> stream, [EnumeratorCancellation] CancellationToken ct)
    {
        while (await stream.MoveNext(ct))
        {
            var isChunk = stream.Current.PayloadCase == UploadDatasetRequest.PayloadOneofCase.Chunk;
            new FieldViolations().Check(isChunk, "chunk", "must be every message after the first").ThrowIfAny();
            var chunk = stream.Current.Chunk;
            new FieldViolations()
                .Check(IsPlainName(chunk.FileName), "chunk.file_name", $"must be a file name of 1 to {MaxFileNameLength} characters without a path")
                .Check(chunk.Data.Length <= MaxChunkBytes, "chunk.data", $"must have at most 1 MiB; got {chunk.Data.Length} bytes")
                .ThrowIfAny();
            yield return new FileChunk(chunk.FileName, chunk.Data.Memory);
        }
    }

    private static bool IsPlainName(string name) =>
        name.Length is > 0 and <= MaxFileNameLength
        && name is not ("." or "..")
        && !name.Any(c => c is '/' or '\\' || char.IsControl(c));
}
