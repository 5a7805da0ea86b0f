namespace InstructTune.Dataset.Import;

/// <summary>
/// The lines of a file with their numbers from 1. Only LF ends a line (an optional CR before it is dropped): U+2028 or a lone CR
/// inside a JSON string does not. A line longer than the limit is skipped and comes as a problem.
/// </summary>
internal static class LineSource
{
    public const int MaxLineBytes = 16 << 20;

    /// <summary>The bytes are valid until the next line is taken.</summary>
    internal readonly record struct Line(long Number, ReadOnlyMemory<byte> Bytes, bool IsTooLong);

    public static IEnumerable<Line> Read(Stream stream, int maxLineBytes = MaxLineBytes)
    {
        var buffer = new byte[1 << 16];
        var line = new MemoryStream();
        var isTooLong = false;
        long number = 0;
        int read;
        while ((read = stream.Read(buffer)) > 0)
        {
            var start = 0;
            for (var end = IndexOfLineFeed(buffer, start, read); end >= 0; end = IndexOfLineFeed(buffer, start, read))
            {
                isTooLong = Append(line, buffer, start, end - start, maxLineBytes, isTooLong);
                yield return new Line(++number, Content(line), isTooLong);
                line.SetLength(0);
                isTooLong = false;
                start = end + 1;
            }

            isTooLong = Append(line, buffer, start, read - start, maxLineBytes, isTooLong);
        }

        if (line.Length > 0 || isTooLong)
        {
            yield return new Line(++number, Content(line), isTooLong);
        }
    }

    private static int IndexOfLineFeed(byte[] buffer, int start, int end)
    {
        var index = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
        return index < 0 ? -1 : start + index;
    }

    private static bool Append(MemoryStream line, byte[] buffer, int start, int count, int maxLineBytes, bool isTooLong)
    {
        if (isTooLong || line.Length + count > maxLineBytes)
        {
            line.SetLength(0);
            return true;
        }

        line.Write(buffer, start, count);
        return false;
    }

    private static ReadOnlyMemory<byte> Content(MemoryStream line)
    {
        var length = (int)line.Length;
        var bytes = line.GetBuffer();
        return bytes.AsMemory(0, length > 0 && bytes[length - 1] == '\r' ? length - 1 : length);
    }
}
