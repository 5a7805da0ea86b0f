using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>A GGUF file, memory-mapped. Everything about its form is checked when it is opened.</summary>
public sealed class GgufReader : IDisposable
{
    private readonly MappedFile _file;
    private readonly long _dataOffset;
    private readonly Dictionary<string, GgufTensor> _byName;

    private GgufReader(string fileName, MappedFile file, GgufHeader header)
    {
        FileName = fileName;
        _file = file;
        _dataOffset = header.DataOffset;
        Metadata = header.Metadata;
        Tensors = header.Tensors;
        _byName = header.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>Name of the file without its folder.</summary>
    public string FileName { get; }

    /// <summary>The tensors in the order of the file.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    internal GgufMetadata Metadata { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="ModelFormatException">The file is absent or not a sound GGUF file.</exception>
    public static GgufReader Open(string path)
    {
        var name = Path.GetFileName(path);
        if (!File.Exists(path))
        {
            throw new ModelFormatException(name, "", "the file is missing");
        }

        GgufHeader header;
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 65_536))
        {
            header = GgufHeader.Read(name, stream, stream.Length);
        }

        return new GgufReader(name, MappedFile.Open(path), header);
    }

    /// <summary>The tensor of a name, or null.</summary>
    public GgufTensor? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Reads whole rows as float32, in the order of the file; refuses numbers that are not finite.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="target">Room for a whole number of rows.</param>
    public void ReadRows(GgufTensor tensor, long firstRow, Span<float> target)
    {
        var rowBytes = GgufTensorTypes.SizeBytes(tensor.Type, tensor.RowElements);
        var rows = target.Length / tensor.RowElements;
        var source = _file.Span(_dataOffset + tensor.OffsetBytes + (firstRow * rowBytes), checked((int)(rows * rowBytes)));
        GgufDequantizer.Dequantize(tensor.Type, source, target);
        if (!Widening.AreFinite(target))
        {
            throw new ModelFormatException(FileName, tensor.Name, "is not finite: it holds NaN or infinity");
        }
    }

    /// <summary>Whole rows as they are stored.</summary>
    internal ReadOnlySpan<byte> StoredRows(GgufTensor tensor, long firstRow, int rows)
    {
        var rowBytes = GgufTensorTypes.SizeBytes(tensor.Type, tensor.RowElements);
        return _file.Span(_dataOffset + tensor.OffsetBytes + (firstRow * rowBytes), checked((int)(rows * rowBytes)));
    }

    /// <summary>Tells the system that the pages of a tensor are not needed again.</summary>
    internal void Forget(GgufTensor tensor) => _file.Forget(_dataOffset + tensor.OffsetBytes, tensor.SizeBytes);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
