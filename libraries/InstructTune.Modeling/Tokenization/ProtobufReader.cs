using System.Buffers.Binary;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>Walks over the fields of a protocol buffer message. Nothing in it is trusted.</summary>
internal ref struct ProtobufReader(string file, ReadOnlySpan<byte> message)
{
    private readonly string _file = file;
    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;
    private int _wireType;
    private ulong _number;
    private ReadOnlySpan<byte> _bytes;

    /// <summary>Of the current field.</summary>
    public int Field { get; private set; }

    public readonly ReadOnlySpan<byte> Bytes => _wireType == 2 ? _bytes : throw Refuse("must be a string or a message");

    public readonly string Text
    {
        get
        {
            try
            {
                return Strict.GetString(Bytes);
            }
            catch (System.Text.DecoderFallbackException)
            {
                throw Refuse("is not valid UTF-8");
            }
        }
    }

    public readonly long Integer => _wireType == 0 ? (long)_number : throw Refuse("must be an integer");

    public readonly bool Flag => Integer != 0;

    public readonly float Single => _wireType == 5 ? BitConverter.UInt32BitsToSingle((uint)_number) : throw Refuse("must be a float");

    private static readonly System.Text.UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Goes to the next field, if there is one.</summary>
    public bool Read()
    {
        if (_at == _message.Length)
        {
            return false;
        }

        var tag = ReadNumber();
        (Field, _wireType) = ((int)Math.Min(tag >> 3, int.MaxValue), (int)(tag & 7));
        switch (_wireType)
        {
            case 0:
                _number = ReadNumber();
                return true;
            case 1:
                _number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                return true;
            case 2:
                _bytes = Take(ReadNumber());
                return true;
            case 5:
                _number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                return true;
            default:
                throw Refuse($"has the wire type {_wireType}, which is not known");
        }
    }

    public readonly ModelFormatException Refuse(string problem) => new(_file, $"field {Field} before byte {_at}", problem);

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(_message.Length - _at))
        {
            throw Refuse("goes on after the end of the file");
        }

        _at += (int)count;
        return _message.Slice(_at - (int)count, (int)count);
    }

    private ulong ReadNumber()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = Take(1)[0];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw Refuse("holds a number of more than ten bytes");
    }
}
