using Google.Protobuf;
using Grpc.Core;
using InstructTune.V1;

namespace InstructTune.Client;

/// <summary>Sends files and folders as client streams.</summary>
public static class UploadExtensions
{
    private static readonly string[] DataExtensions = [".json", ".jsonl", ".txt"];

    // What the server reads of a model folder; README files and pickled weights stay here.
    private static readonly string[] ModelExtensions = [".json", ".safetensors", ".model", ".tiktoken", ".jinja"];

    private const string GgufExtension = ".gguf";

    /// <summary>Uploads files, or the data files of folders, into a new version of a dataset.</summary>
    /// <param name="client">The connection.</param>
    /// <param name="dataset">Format: <c>datasets/{dataset}</c>. It must exist.</param>
    /// <param name="paths">Files, or folders of .json, .jsonl and .txt files. Read in this order.</param>
    /// <param name="options">How to read them; null detects the format.</param>
    /// <param name="progress">Told after every chunk.</param>
    /// <param name="ct">Breaks the upload off; the server keeps nothing of it.</param>
    public static async Task<DatasetVersion> UploadDatasetAsync(
        this InstructTuneClient client,
        string dataset,
        IEnumerable<string> paths,
        SourceOptions? options = null,
        IProgress<UploadProgress>? progress = null,
        CancellationToken ct = default)
    {
        var files = FileSet.Of(paths, DataExtensions);
        using var call = client.Datasets.UploadDataset(cancellationToken: ct);
        var header = new UploadDatasetRequest.Types.Header { Parent = dataset, Options = options ?? new SourceOptions() };
        return await SendAsync(
            call.RequestStream,
            call.ResponseAsync,
            new UploadDatasetRequest { Header = header },
            (name, data) => new UploadDatasetRequest { Chunk = new() { FileName = name, Data = data } },
            files,
            progress,
            ct);
    }

    /// <summary>Uploads a Hugging Face model folder, a PEFT adapter folder or a GGUF file into a new version of a model.</summary>
    /// <param name="client">The connection.</param>
    /// <param name="header">The model, and for an adapter its base.</param>
    /// <param name="folder">Its configuration, tokenizer and .safetensors files are sent; or the path of one .gguf file.</param>
    /// <param name="progress">Told after every chunk.</param>
    /// <param name="ct">Breaks the upload off; the server keeps nothing of it.</param>
    public static async Task<ModelVersion> UploadModelVersionAsync(
        this InstructTuneClient client,
        UploadModelVersionRequest.Types.Header header,
        string folder,
        IProgress<UploadProgress>? progress = null,
        CancellationToken ct = default)
    {
        if (!Directory.Exists(folder) && !IsGguf(folder))
        {
            throw InstructTuneException.Local(LocalReasons.FileUnreadable, $"There is no folder {folder}.");
        }

        var files = FileSet.Of([folder], ModelExtensions);
        using var call = client.Models.UploadModelVersion(cancellationToken: ct);
        return await SendAsync(
            call.RequestStream,
            call.ResponseAsync,
            new UploadModelVersionRequest { Header = header },
            (name, data) => new UploadModelVersionRequest { Chunk = new() { FileName = name, Data = data } },
            files,
            progress,
            ct);
    }

    private static bool IsGguf(string path) => path.EndsWith(GgufExtension, StringComparison.OrdinalIgnoreCase) && File.Exists(path);

    private static async Task<TResponse> SendAsync<TRequest, TResponse>(
        IClientStreamWriter<TRequest> stream,
        Task<TResponse> response,
        TRequest header,
        Func<string, ByteString, TRequest> chunk,
        FileSet files,
        IProgress<UploadProgress>? progress,
        CancellationToken ct)
    {
        try
        {
            await stream.WriteAsync(header, ct);
            await files.SendAsync((name, data) => stream.WriteAsync(chunk(name, data), ct), progress, ct);
            await stream.CompleteAsync();
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException || (e is IOException && response.IsCompleted))
        {
            // The server has ended the call while we were writing: its answer says why, the broken pipe does not.
        }

        return await response;
    }
}
