using System.Text;
using System.Text.Json;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>
/// The header of a safetensors file, parsed with the format's limits: no duplicate names, no overlaps, no holes, sizes that agree.
/// </summary>
internal sealed class SafetensorsHeader
{
    public const long MaxSizeBytes = 100_000_000;

    private readonly string _file;
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly List<TensorEntry> _entries = [];

    private SafetensorsHeader(string file)
    {
        _file = file;
    }

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Tensors by position in the file.</summary>
    public IReadOnlyList<TensorEntry> Entries => _entries;

    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json, long dataSizeBytes)
    {
        var header = new SafetensorsHeader(file);
        try
        {
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetCharCount(json);
            header.ReadTensors(json);
        }
        catch (DecoderFallbackException e)
        {
            throw new ModelFormatException(file, "", "the header is not valid UTF-8", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new ModelFormatException(file, "", "the header is not a JSON object of tensors", e);
        }

        header.CheckLayout(dataSizeBytes);
        return header;
    }

    private void ReadTensors(ReadOnlySpan<byte> json)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!names.Add(name))
            {
                throw new ModelFormatException(_file, name, "is named twice in the header");
            }

            if (name == "__metadata__")
            {
                ReadMetadata(ref reader);
            }
            else
            {
                using var value = JsonDocument.ParseValue(ref reader);
                _entries.Add(ReadEntry(name, value.RootElement));
            }
        }

        if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
        {
            throw new JsonException();
        }
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String);
            _metadata[key] = reader.GetString()!;
        }
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw new JsonException();
        }
    }

    private TensorEntry ReadEntry(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var type) || type.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shape) || !IsWholeNumbers(shape)
            || !value.TryGetProperty("data_offsets", out var offsets) || !IsWholeNumbers(offsets) || offsets.GetArrayLength() != 2)
        {
            throw new ModelFormatException(_file, name, "the header must give dtype, shape and data_offsets, with whole numbers from 0");
        }

        var element = ElementTypes.Find(type.GetString()!)
            ?? throw new ModelFormatException(_file, name, $"dtype {type.GetString()} is not supported");
        long[] dimensions = [.. shape.EnumerateArray().Select(d => d.GetInt64())];
        var (begin, end) = (offsets[0].GetInt64(), offsets[1].GetInt64());
        if (begin > end)
        {
            throw new ModelFormatException(_file, name, $"data_offsets [{begin}, {end}] end before they begin");
        }

        var entry = new TensorEntry(name, element, dimensions, begin, end - begin);
        if (SizeOf(dimensions, element) is not { } size || size != entry.SizeBytes)
        {
            throw new ModelFormatException(_file, name, $"shape {entry.ShapeText} of {type.GetString()} does not take the {entry.SizeBytes} bytes of data_offsets");
        }

        return entry;
    }

    private static bool IsWholeNumbers(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array
        && value.EnumerateArray().All(d => d.ValueKind == JsonValueKind.Number && d.TryGetInt64(out var number) && number >= 0);

    private static long? SizeOf(long[] shape, ScalarType type)
    {
        Int128 size = ElementTypes.SizeBytes(type);
        foreach (var dimension in shape)
        {
            size *= dimension;
            if (size > long.MaxValue)
            {
                return null;
            }
        }

        return (long)size;
    }

    private void CheckLayout(long dataSizeBytes)
    {
        _entries.Sort((a, b) => (a.OffsetBytes, a.SizeBytes).CompareTo((b.OffsetBytes, b.SizeBytes)));
        long expected = 0;
        for (var i = 0; i < _entries.Count; i++)
        {
            var entry = _entries[i];
            if (entry.OffsetBytes < expected)
            {
                throw new ModelFormatException(_file, entry.Name, $"overlaps {_entries[i - 1].Name}");
            }

            if (entry.OffsetBytes > expected)
            {
                throw new ModelFormatException(_file, entry.Name, $"{entry.OffsetBytes - expected} unused bytes lie before it");
            }

            expected += entry.SizeBytes;
            if (expected > dataSizeBytes)
            {
                var cut = string.Join(", ", _entries.Skip(i).Select(e => e.Name));
                throw new ModelFormatException(_file, cut, $"the file is truncated: it holds {dataSizeBytes} bytes of data, and the first of these ends at {expected}");
            }
        }

        if (expected != dataSizeBytes)
        {
            throw new ModelFormatException(_file, "", $"{dataSizeBytes - expected} bytes follow the last tensor");
        }
    }
}
