using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace InstructTune.Modeling.Weights;

/// <summary>A file mapped into memory for reading.</summary>
internal sealed unsafe partial class MappedFile : IDisposable
{
    private const int DontNeed = 4;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private MappedFile(MemoryMappedFile file, MemoryMappedViewAccessor view, long sizeBytes)
    {
        (_file, _view, SizeBytes) = (file, view, sizeBytes);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _start = start + view.PointerOffset;
    }

    public long SizeBytes { get; }

    /// <summary>Maps a file that is not empty.</summary>
    public static MappedFile Open(string path)
    {
        var size = new FileInfo(path).Length;
        var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        try
        {
            return new MappedFile(file, file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read), size);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, SizeBytes);
        return new ReadOnlySpan<byte>(_start + offset, length);
    }

    /// <summary>
    /// Lets the system take the pages of a stretch that was read, so that a model that is loaded and its file are not both resident.
    /// What is read again is read from the file again.
    /// </summary>
    public void Forget(long offset, long length)
    {
        var page = Environment.SystemPageSize;
        var first = (offset + page - 1) / page * page;
        var last = (offset + length) / page * page;
        if (last > first && OperatingSystem.IsLinux())
        {
            // Advice: nothing depends on whether it is taken.
            _ = Advise(_start + first, (nuint)(last - first), DontNeed);
        }
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* start, nuint length, int advice);
}
