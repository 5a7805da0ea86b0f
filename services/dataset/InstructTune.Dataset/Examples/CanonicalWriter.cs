using System.Buffers;
using System.Text;

namespace InstructTune.Dataset.Examples;

/// <summary>
/// Writes JSON in one way only: no white space, the shortest escapes, everything else as UTF-8. The .NET encoders differ between
/// versions in what they escape, and a version ID must not.
/// </summary>
internal sealed class CanonicalWriter(IBufferWriter<byte> output)
{
    private bool _needsComma;

    public void Open(char bracket)
    {
        Separate();
        Raw(bracket);
        _needsComma = false;
    }

    public void Close(char bracket)
    {
        Raw(bracket);
        _needsComma = true;
    }

    public void Key(string key)
    {
        Separate();
        Quoted(key);
        Raw(':');
        _needsComma = false;
    }

    public void Value(string value)
    {
        Separate();
        Quoted(value);
        _needsComma = true;
    }

    public void Member(string key, string value)
    {
        Key(key);
        Value(value);
    }

    public void Member(string key, IReadOnlyList<string> values)
    {
        Key(key);
        Open('[');
        foreach (var value in values)
        {
            Value(value);
        }

        Close(']');
    }

    public void EndLine()
    {
        Raw('\n');
        _needsComma = false;
    }

    private void Separate()
    {
        if (_needsComma)
        {
            Raw(',');
        }
    }

    private void Quoted(string text)
    {
        Raw('"');
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] >= ' ' && text[i] != '"' && text[i] != '\\')
            {
                continue;
            }

            Utf8(text.AsSpan(start, i - start));
            Utf8(Escape(text[i]));
            start = i + 1;
        }

        Utf8(text.AsSpan(start));
        Raw('"');
    }

    private static string Escape(char c) => c switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\b' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\f' => "\\f",
        '\r' => "\\r",
        _ => $"\\u{(int)c:x4}",
    };

    private void Raw(char ascii)
    {
        output.GetSpan(1)[0] = (byte)ascii;
        output.Advance(1);
    }

    private void Utf8(ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, output);
}
