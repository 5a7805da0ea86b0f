using System.Buffers;

namespace InstructTune.Dataset.Import;

/// <summary>
/// Cuts a JSON array into its elements without holding more than one of them. Only brackets, strings and commas are understood
/// here; each element is then parsed for itself.
/// </summary>
internal sealed class JsonArraySource(Stream stream, string fileName)
{
    private const int MaxElementBytes = LineSource.MaxLineBytes;

    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly ArrayBufferWriter<byte> _element = new();
    private int _read;
    private int _next;
    private long _lineNumber = 1;
    private long _position;

    /// <summary>The bytes are valid until the next element is taken.</summary>
    internal readonly record struct Element(long Position, long LineNumber, ReadOnlyMemory<byte> Bytes);

    public IEnumerable<Element> Read()
    {
        if (SkipWhiteSpace() != '[')
        {
            throw Invalid("not a JSON array");
        }

        _next++;
        if (SkipWhiteSpace() == ']')
        {
            _next++;
            RefuseMore();
            yield break;
        }

        while (true)
        {
            _position++;
            if (SkipWhiteSpace() is ']' or ',')
            {
                throw Invalid("not JSON: a comma without a value after it");
            }

            var line = _lineNumber;
            var end = TakeElement();
            yield return new Element(_position, line, _element.WrittenMemory);
            if (end == ']')
            {
                RefuseMore();
                yield break;
            }
        }
    }

    /// <summary>Reads to the comma or bracket that ends the element, and past it.</summary>
    private int TakeElement()
    {
        _element.ResetWrittenCount();
        var depth = 0;
        var isInString = false;
        var isEscaped = false;
        while (true)
        {
            var b = Take();
            if (isInString)
            {
                isInString = isEscaped || b != '"';
                isEscaped = !isEscaped && b == '\\';
            }
            else if (depth == 0 && (b is ',' or ']'))
            {
                return b;
            }
            else
            {
                isInString = b == '"';
                depth += b is '{' or '[' ? 1 : b is '}' or ']' ? -1 : 0;
            }

            _element.GetSpan(1)[0] = (byte)b;
            _element.Advance(1);
            if (_element.WrittenCount > MaxElementBytes)
            {
                throw Invalid($"the element is longer than {MaxElementBytes >> 20} MiB");
            }
        }
    }

    private int SkipWhiteSpace()
    {
        while (Peek() is ' ' or '\t' or '\r' or '\n')
        {
            Take();
        }

        return Peek();
    }

    private void RefuseMore()
    {
        if (SkipWhiteSpace() >= 0)
        {
            throw Invalid("there is text after the end of the array");
        }
    }

    private int Take()
    {
        var b = Peek();
        if (b < 0)
        {
            throw Invalid("not JSON: the file ends inside the array");
        }

        _next++;
        _lineNumber += b == '\n' ? 1 : 0;
        return b;
    }

    private int Peek()
    {
        if (_next == _read)
        {
            _read = stream.Read(_buffer);
            _next = 0;
        }

        return _read == 0 ? -1 : _buffer[_next];
    }

    private SourceInvalidException Invalid(string problem) =>
        new(fileName, Math.Max(_position, 1), $"{problem} (line {_lineNumber} of the file)");
}
