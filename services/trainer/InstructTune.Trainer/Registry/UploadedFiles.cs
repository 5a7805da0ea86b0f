using InstructTune.Modeling.Weights;
using InstructTune.Storage;

namespace InstructTune.Trainer.Registry;

/// <summary>Writes the files of an upload, one after another, into a staging folder. Names are plain, so nothing is ever written elsewhere.</summary>
internal sealed class UploadedFiles(StagingFolder staging) : IAsyncDisposable
{
    private const int MaxNameLength = 128;

    private static readonly string[] PickleEndings = [".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"];

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private FileStream? _current;
    private string _currentName = "";

    public int Count => _names.Count;

    /// <summary>What is wrong with a file name at this place of the stream; null when nothing is.</summary>
    public string? ProblemOf(string name)
    {
        if (name.Length is 0 or > MaxNameLength || name[0] == '.' || !name.All(IsPlain))
        {
            return $"must be a plain file name of 1 to {MaxNameLength} characters A-Z a-z 0-9 . _ - that does not begin with a dot";
        }

        return name == Manifest.FileName ? $"must not be {Manifest.FileName}, which the store writes"
            : name != _currentName && _names.Contains(name) ? "names a file that ended before: send files one after another"
            : null;
    }

    /// <exception cref="ModelFormatException">The name is that of pickled weights.</exception>
    public async Task AppendAsync(string name, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        if (PickleEndings.Any(ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase)))
        {
            throw new ModelFormatException(name, "", "is a pickle, which can run code when read; convert it to safetensors first");
        }

        try
        {
            await WriteAsync(name, data, ct);
        }
        catch (IOException exception) when (StorageFullException.Is(exception))
        {
            throw StorageFullException.Of(name, exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_current is not null)
        {
            await _current.DisposeAsync();
            _current = null;
        }
    }

    private async Task WriteAsync(string name, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        if (name != _currentName || _current is null)
        {
            await DisposeAsync();
            _names.Add(name);
            _currentName = name;
            _current = new FileStream(Path.Combine(staging.Path, name), FileMode.CreateNew, FileAccess.Write);
        }

        FailPoint.Hit("upload.before-write");
        await _current.WriteAsync(data, ct);
    }

    private static bool IsPlain(char character) => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-';
}
