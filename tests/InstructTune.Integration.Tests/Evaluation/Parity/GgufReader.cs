using System.Text;

namespace InstructTune.Integration.Tests.Evaluation.Parity;

/// <summary>A tensor of a GGUF file, its shape slowest dimension first.</summary>
internal sealed record GgufTensor(string Name, long[] Shape, uint Type, long Offset);

/// <summary>Reads what one real model needs: the table of tensors, and types F32, Q4_1 and Q8_0 as float32.</summary>
internal sealed class GgufReader
{
    private const uint Float32 = 0;
    private const uint Quant41 = 3;
    private const uint Quant80 = 8;
    private const int Alignment = 32;
    private const int BlockSize = 32;
    private const int Quant41Bytes = 20;
    private const int Quant80Bytes = 34;

    private readonly byte[] _bytes;
    private readonly int _data;

    public GgufReader(string path)
    {
        _bytes = File.ReadAllBytes(path);
        using var reader = new BinaryReader(new MemoryStream(_bytes), Encoding.UTF8);
        if (reader.ReadUInt32() != 0x46554747)
        {
            throw new InvalidDataException($"{path} is not a GGUF file.");
        }
        reader.ReadUInt32();
        var (tensors, keys) = (reader.ReadInt64(), reader.ReadInt64());
        for (var i = 0L; i < keys; i++)
        {
            ReadText(reader);
            SkipValue(reader, reader.ReadUInt32());
        }
        Tensors = [.. Enumerable.Range(0, (int)tensors).Select(_ => ReadTensor(reader))];
        _data = (int)((reader.BaseStream.Position + Alignment - 1) / Alignment * Alignment);
    }

    public IReadOnlyList<GgufTensor> Tensors { get; }

    public float[] Read(GgufTensor tensor)
    {
        var values = new float[tensor.Shape.Aggregate(1L, (product, size) => product * size)];
        var start = _data + (int)tensor.Offset;
        for (var block = 0; block < values.Length / BlockSize; block++)
        {
            var target = values.AsSpan(block * BlockSize, BlockSize);
            switch (tensor.Type)
            {
                case Float32:
                    Buffer.BlockCopy(_bytes, start + (block * BlockSize * sizeof(float)), values, block * BlockSize * sizeof(float), BlockSize * sizeof(float));
                    break;
                case Quant41:
                    ReadQuant41(_bytes.AsSpan(start + (block * Quant41Bytes), Quant41Bytes), target);
                    break;
                case Quant80:
                    ReadQuant80(_bytes.AsSpan(start + (block * Quant80Bytes), Quant80Bytes), target);
                    break;
                default:
                    throw new NotSupportedException($"{tensor.Name} has the type {tensor.Type}.");
            }
        }
        return values;
    }

    // Scale, minimum, then 32 numbers of 4 bits: the low halves of the bytes first.
    private static void ReadQuant41(ReadOnlySpan<byte> block, Span<float> target)
    {
        var (scale, minimum) = ((float)BitConverter.ToHalf(block), (float)BitConverter.ToHalf(block[2..]));
        for (var i = 0; i < BlockSize / 2; i++)
        {
            target[i] = (scale * (block[4 + i] & 0xF)) + minimum;
            target[i + (BlockSize / 2)] = (scale * (block[4 + i] >> 4)) + minimum;
        }
    }

    private static void ReadQuant80(ReadOnlySpan<byte> block, Span<float> target)
    {
        var scale = (float)BitConverter.ToHalf(block);
        for (var i = 0; i < BlockSize; i++)
        {
            target[i] = scale * (sbyte)block[2 + i];
        }
    }

    private static GgufTensor ReadTensor(BinaryReader reader)
    {
        var name = ReadText(reader);
        var shape = Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadInt64()).Reverse().ToArray();
        return new GgufTensor(name, shape, reader.ReadUInt32(), reader.ReadInt64());
    }

    private static string ReadText(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadInt64()));

    private static void SkipValue(BinaryReader reader, uint type)
    {
        switch (type)
        {
            case 8:
                ReadText(reader);
                break;
            case 9:
                var element = reader.ReadUInt32();
                for (var left = reader.ReadInt64(); left > 0; left--)
                {
                    SkipValue(reader, element);
                }
                break;
            default:
                reader.ReadBytes(type switch { 0 or 1 or 7 => 1, 2 or 3 => 2, 4 or 5 or 6 => 4, _ => 8 });
                break;
        }
    }
}
