using System.Text;
using System.Text.Unicode;

namespace InstructTune.Dataset.Import;

/// <summary>Opens a source past its byte order mark, and refuses what is certainly not UTF-8 text.</summary>
internal static class SourceBytes
{
    private static readonly byte[] Utf8Mark = [0xEF, 0xBB, 0xBF];

    public static FileStream Open(SourceFile file)
    {
        var stream = new FileStream(
            file.Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.SequentialScan);
        try
        {
            Span<byte> head = stackalloc byte[4];
            var read = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            head = head[..read];
            if (Problem(head) is { } problem)
            {
                throw new SourceInvalidException(file.Name, 1, problem);
            }

            stream.Position = head.StartsWith(Utf8Mark) ? Utf8Mark.Length : 0;
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public static string Text(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes)
        ? Encoding.UTF8.GetString(bytes)
        : throw RecordInvalidException.Invalid("not UTF-8");

    private static string? Problem(ReadOnlySpan<byte> head) => head switch
    {
        [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] => "the file is UTF-16; convert it to UTF-8",
        [0, _, ..] or [_, 0, ..] => "the file begins with NUL bytes, as UTF-16 does; convert it to UTF-8",
        [0x1F, 0x8B, ..] => "the file is compressed by gzip; unpack it first",
        [0x28, 0xB5, 0x2F, 0xFD] => "the file is compressed by zstd; unpack it first",
        [(byte)'P', (byte)'A', (byte)'R', (byte)'1'] => "the file is Parquet, which is not read; convert it to JSON Lines",
        _ => null,
    };
}
