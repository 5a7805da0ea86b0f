using System.Security.Cryptography;
using InstructTune.V1;

namespace InstructTune.Client;

/// <summary>Receives models in formats of other programs.</summary>
public static class ExportExtensions
{
    /// <summary>Exports a version into a folder. Files are checked against their digests; on a failure none of them is left.</summary>
    /// <param name="client">The connection.</param>
    /// <param name="version">Format: <c>models/{model}/versions/{version}</c>.</param>
    /// <param name="export">Format and element type.</param>
    /// <param name="folder">Where; made when absent. Files of the same names must not be there.</param>
    /// <param name="progress">Told after every chunk.</param>
    /// <param name="ct">Breaks the export off.</param>
    /// <returns>The export as the server describes it, with what reading it back found, and the files written.</returns>
    public static async Task<(ModelExport Export, IReadOnlyList<FileInfo> Files)> ExportModelVersionAsync(
        this InstructTuneClient client,
        string version,
        ModelExport export,
        string folder,
        IProgress<UploadProgress>? progress = null,
        CancellationToken ct = default)
    {
        using var call = client.Models.ExportModelVersion(new ExportModelVersionRequest { Name = version, ModelExport = export }, cancellationToken: ct);
        var stream = call.ResponseStream;
        var sent = await stream.MoveNext(ct) ? stream.Current.ModelExport : null;
        if (sent is null)
        {
            throw Broken("The server sent no list of files.");
        }

        Directory.CreateDirectory(folder);
        var received = new ReceivedFiles(folder, [.. sent.Files], progress);
        try
        {
            while (await stream.MoveNext(ct))
            {
                var chunk = stream.Current.Chunk ?? throw Broken("The server sent something that is no part of a file.");
                await received.AppendAsync(chunk.Path, chunk.Offset, chunk.Data.Memory, ct);
            }

            return (sent, await received.CompleteAsync(ct));
        }
        catch
        {
            received.Discard();
            throw;
        }
    }

    private static InstructTuneException Broken(string message) => InstructTuneException.Local(LocalReasons.FileUnreadable, message);

    private sealed class ReceivedFiles(string folder, IReadOnlyList<ModelExport.Types.File> files, IProgress<UploadProgress>? progress)
    {
        private readonly long _totalBytes = files.Sum(f => f.SizeBytes);
        private readonly List<string> _made = [];
        private long _receivedBytes;

        public async Task AppendAsync(string name, long offset, ReadOnlyMemory<byte> data, CancellationToken ct)
        {
            // Names come from the server: only those it announced, and only plain ones, are written.
            if (Path.GetFileName(name) != name || files.All(f => f.Path != name))
            {
                throw Broken($"The server sent a file that it had not announced: {name}.");
            }

            var path = PathOf(name);
            var mode = _made.Contains(path) ? FileMode.Append : FileMode.CreateNew;
            await using (var stream = Open(path, mode))
            {
                if (mode == FileMode.CreateNew)
                {
                    _made.Add(path);
                }

                if (stream.Position != offset)
                {
                    throw Broken($"A part of {name} is missing.");
                }

                await stream.WriteAsync(data, ct);
            }

            _receivedBytes += data.Length;
            progress?.Report(new UploadProgress(name, _receivedBytes, _totalBytes));
        }

        public async Task<IReadOnlyList<FileInfo>> CompleteAsync(CancellationToken ct)
        {
            foreach (var file in files)
            {
                var path = PathOf(file.Path);
                if (file.SizeBytes == 0)
                {
                    Open(path, FileMode.CreateNew).Dispose();
                    _made.Add(path);
                }

                await using var content = File.Exists(path) ? File.OpenRead(path) : throw Broken($"{file.Path} is missing.");
                if (Convert.ToHexStringLower(await SHA256.HashDataAsync(content, ct)) != file.Sha256)
                {
                    throw Broken($"{file.Path} is not what the server announced.");
                }
            }

            return [.. files.Select(f => new FileInfo(PathOf(f.Path)))];
        }

        public void Discard() => _made.ForEach(File.Delete);

        private string PathOf(string name) => Path.Combine(folder, name);

        private static FileStream Open(string path, FileMode mode)
        {
            try
            {
                return new FileStream(path, mode, FileAccess.Write);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw InstructTuneException.Local(LocalReasons.FileUnreadable, $"{path} cannot be written: {e.Message}", e);
            }
        }
    }
}
