using System.Buffers.Binary;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>A safetensors file, memory-mapped. Everything about it is checked when it is opened.</summary>
public sealed class SafetensorsReader : IDisposable
{
    private const long PieceElements = 1L << 20;

    private readonly MappedFile _file;
    private readonly long _dataOffset;
    private readonly Dictionary<string, TensorEntry> _byName;

    private SafetensorsReader(string fileName, MappedFile file, long dataOffset, SafetensorsHeader header)
    {
        FileName = fileName;
        _file = file;
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

        var file = MappedFile.Open(path);
        try
        {
            var headerSize = BinaryPrimitives.ReadUInt64LittleEndian(file.Span(0, 8));
            if (headerSize > SafetensorsHeader.MaxSizeBytes)
            {
                throw new ModelFormatException(name, "", $"the header length {headerSize} is over the limit of {SafetensorsHeader.MaxSizeBytes}");
            }

            if (headerSize > (ulong)file.SizeBytes - 8)
            {
                throw new ModelFormatException(name, "", "the file is truncated inside its header");
            }

            var dataOffset = 8 + (int)headerSize;
            var header = SafetensorsHeader.Parse(name, file.Span(8, (int)headerSize), file.SizeBytes - dataOffset);
            return new SafetensorsReader(name, file, dataOffset, header);
        }
        catch
        {
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
        var entry = Find(name) ?? throw new ModelFormatException(FileName, name, "is missing");
        var result = empty([.. entry.Shape], ScalarType.Float32);
        try
        {
            ReadInto(entry, result);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Copies a tensor of floating-point numbers out, in its stored type; refuses numbers that are not finite.</summary>
    public Tensor ReadFinite(string name)
    {
        var entry = Find(name) ?? throw new ModelFormatException(FileName, name, "is missing");
        var result = empty([.. entry.Shape], entry.Type);
        try
        {
            ReadInto(entry, result);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Fills a tensor of as many elements, piece by piece from the mapped file, so that no second copy is held; refuses numbers that are
    /// not finite. Pages of the file that were read are given back to the system.
    /// </summary>
    internal void ReadInto(TensorEntry entry, Tensor target)
    {
        using var frozen = no_grad();
        using var flat = target.view(-1);
        var buffer = new float[(int)Math.Min(PieceElements, Math.Max(flat.size(0), 1))];
        for (long done = 0; done < flat.size(0); done += PieceElements)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(PieceElements, flat.size(0) - done));
            using var part = flat.narrow(0, done, piece.Length);
            if (target.dtype == ScalarType.Float32)
            {
                ReadElements(entry, done, MemoryMarshal.Cast<byte, float>(part.bytes));
                continue;
            }

            ReadElements(entry, done, piece);
            if (target.dtype == entry.Type)
            {
                StoredElements(entry, done, piece.Length).CopyTo(part.bytes);
                continue;
            }

            using var read = tensor(piece.ToArray());
            part.copy_(read);
        }

        _file.Forget(_dataOffset + entry.OffsetBytes, entry.SizeBytes);
    }

    /// <summary>Elements of a tensor as float32; refuses numbers that are not finite.</summary>
    internal void ReadElements(TensorEntry entry, long first, Span<float> target)
    {
        if (!entry.IsFloatingPoint)
        {
            throw new ModelFormatException(FileName, entry.Name, $"has dtype {ElementTypes.Name(entry.Type)}; weights must be floating-point");
        }

        var size = ElementTypes.SizeBytes(entry.Type);
        var source = _file.Span(_dataOffset + entry.OffsetBytes + (first * size), checked(target.Length * size));
        Widening.ToFloat32(entry.Type, source, target);
        if (!Widening.AreFinite(target))
        {
            throw new ModelFormatException(FileName, entry.Name, "is not finite: it holds NaN or infinity");
        }
    }

    /// <summary>Elements of a tensor as they are stored.</summary>
    internal ReadOnlySpan<byte> StoredElements(TensorEntry entry, long first, int count)
    {
        var size = ElementTypes.SizeBytes(entry.Type);
        return _file.Span(_dataOffset + entry.OffsetBytes + (first * size), checked(count * size));
    }

    /// <summary>Tells the system that the pages of a tensor are not needed again.</summary>
    internal void Forget(TensorEntry entry) => _file.Forget(_dataOffset + entry.OffsetBytes, entry.SizeBytes);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void CopyBytes(TensorEntry entry, Tensor target)
    {
        using var flat = target.view(-1);
        for (long done = 0; done < flat.size(0); done += PieceElements)
        {
            using var piece = flat.narrow(0, done, Math.Min(PieceElements, flat.size(0) - done));
            StoredElements(entry, done, (int)piece.size(0)).CopyTo(piece.bytes);
        }
    }
}
