using System.IO.MemoryMappedFiles;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>A safetensors file, memory-mapped. Everything about it is checked when it is opened.</summary>
public sealed class SafetensorsReader : IDisposable
{
    // Spans are counted in int; larger tensors are copied in pieces.
    private const long PieceElements = 1L << 27;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long _dataOffset;
    private readonly Dictionary<string, TensorEntry> _byName;

    private SafetensorsReader(string fileName, MemoryMappedFile file, MemoryMappedViewAccessor view, long dataOffset, SafetensorsHeader header)
    {
        FileName = fileName;
        _file = file;
        _view = view;
        _dataOffset = dataOffset;
        Entries = header.Entries;
        Metadata = header.Metadata;
        _byName = header.Entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
    }

    /// <summary>Name of the file without its folder.</summary>
    public string FileName { get; }

    /// <summary>The tensors, by position.</summary>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>The free text of the header.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="ModelFormatException">The file is absent or not a sound safetensors file.</exception>
    public static SafetensorsReader Open(string path)
    {
        var name = Path.GetFileName(path);
        var info = new FileInfo(path);
        if (!info.Exists)
        {
            throw new ModelFormatException(name, "", "the file is missing");
        }

        if (info.Length < 8)
        {
            throw new ModelFormatException(name, "", $"the file is truncated: {info.Length} bytes cannot hold a safetensors header");
        }

        var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        MemoryMappedViewAccessor? view = null;
        try
        {
            view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            var headerSize = view.ReadUInt64(0);
            if (headerSize > SafetensorsHeader.MaxSizeBytes)
            {
                throw new ModelFormatException(name, "", $"the header length {headerSize} is over the limit of {SafetensorsHeader.MaxSizeBytes}");
            }

            if (headerSize > (ulong)info.Length - 8)
            {
                throw new ModelFormatException(name, "", "the file is truncated inside its header");
            }

            var json = new byte[headerSize];
            view.ReadArray(8, json, 0, json.Length);
            var dataOffset = 8 + json.Length;
            var header = SafetensorsHeader.Parse(name, json, info.Length - dataOffset);
            return new SafetensorsReader(name, file, view, dataOffset, header);
        }
        catch
        {
            view?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>The entry of a tensor, or null.</summary>
    public TensorEntry? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Copies a tensor out, in its stored type.</summary>
    public Tensor Read(string name)
    {
        var entry = Find(name) ?? throw new ModelFormatException(FileName, name, "is missing");
        var result = empty([.. entry.Shape], entry.Type);
        CopyBytes(entry, result);
        return result;
    }

    /// <summary>Copies a tensor out as float32; refuses numbers that are not finite.</summary>
    public Tensor ReadFloat32(string name)
    {
        using var scope = NewDisposeScope();
        return ReadFinite(name).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>Copies a tensor of floating-point numbers out, in its stored type; refuses numbers that are not finite.</summary>
    public Tensor ReadFinite(string name)
    {
        using var scope = NewDisposeScope();
        var entry = Find(name) ?? throw new ModelFormatException(FileName, name, "is missing");
        if (!entry.IsFloatingPoint)
        {
            throw new ModelFormatException(FileName, name, $"has dtype {ElementTypes.Name(entry.Type)}; weights must be floating-point");
        }

        var result = Read(name);
        if (!IsFinite(result))
        {
            throw new ModelFormatException(FileName, name, "is not finite: it holds NaN or infinity");
        }

        return result.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }

    // In pieces, because the answer for a whole tensor takes as much memory again.
    private static bool IsFinite(Tensor tensor)
    {
        const long piece = 1L << 22;
        using var flat = tensor.view(-1);
        for (long done = 0; done < flat.size(0); done += piece)
        {
            using var scope = NewDisposeScope();
            if (!flat.narrow(0, done, Math.Min(piece, flat.size(0) - done)).isfinite().all().item<bool>())
            {
                return false;
            }
        }

        return true;
    }

    private unsafe void CopyBytes(TensorEntry entry, Tensor target)
    {
        using var flat = target.view(-1);
        var count = flat.size(0);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            var source = start + _view.PointerOffset + _dataOffset + entry.OffsetBytes;
            var elementSize = ElementTypes.SizeBytes(entry.Type);
            for (long done = 0; done < count; done += PieceElements)
            {
                var elements = Math.Min(PieceElements, count - done);
                using var piece = flat.narrow(0, done, elements);
                new ReadOnlySpan<byte>(source + (done * elementSize), (int)(elements * elementSize)).CopyTo(piece.bytes);
            }
        }
        finally
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }
}
