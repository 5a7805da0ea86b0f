using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>Checks that the tensors of a file lie in it, whole, aligned and apart.</summary>
internal static class GgufLayout
{
    public static IReadOnlyList<GgufTensor> Check(string file, IReadOnlyList<GgufEntry> entries, long alignment, long dataSizeBytes)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var tensors = new List<GgufTensor>(entries.Count);
        foreach (var entry in entries)
        {
            if (!names.Add(entry.Name))
            {
                throw new ModelFormatException(file, entry.Name, "the tensor is described twice");
            }

            tensors.Add(CheckOne(file, entry, alignment, dataSizeBytes));
        }

        RefuseOverlaps(file, tensors);
        return tensors;
    }

    private static GgufTensor CheckOne(string file, GgufEntry entry, long alignment, long dataSizeBytes)
    {
        if (!GgufTensorTypes.IsKnown(entry.Type))
        {
            var known = string.Join(", ", Enum.GetNames<GgufTensorType>());
            throw new ModelFormatException(file, entry.Name, $"has tensor type {entry.Type}, which is not supported; supported are {known}");
        }

        var type = (GgufTensorType)entry.Type;
        var elements = Elements(entry.Shape)
            ?? throw new ModelFormatException(file, entry.Name, $"has dimensions {string.Join(" x ", entry.Shape)}: each must be at least 1, and all together a size that exists");
        var block = GgufTensorTypes.BlockElements(type);
        if (entry.Shape[^1] % (ulong)block != 0)
        {
            throw new ModelFormatException(file, entry.Name, $"has rows of {entry.Shape[^1]}; {type} holds multiples of {block}");
        }

        var size = GgufTensorTypes.SizeBytes(type, elements);
        if (entry.Offset > (ulong)Math.Max(dataSizeBytes, 0) || size > dataSizeBytes - (long)entry.Offset)
        {
            throw new ModelFormatException(file, entry.Name, $"offset {entry.Offset} and size {size} go beyond the {Math.Max(dataSizeBytes, 0)} bytes of data: the file is truncated or wrong");
        }

        if (entry.Offset % (ulong)alignment != 0)
        {
            throw new ModelFormatException(file, entry.Name, $"offset {entry.Offset} is not a multiple of the alignment, which is {alignment}");
        }

        return new GgufTensor(entry.Name, type, [.. entry.Shape.Select(d => (long)d)], (long)entry.Offset, size);
    }

    // At most 2^40 elements: beyond every model, and far from overflow in bytes.
    private static long? Elements(ulong[] shape)
    {
        UInt128 product = 1;
        foreach (var dimension in shape)
        {
            product *= dimension;
            if (product == 0 || product > 1UL << 40)
            {
                return null;
            }
        }

        return (long)product;
    }

    private static void RefuseOverlaps(string file, List<GgufTensor> tensors)
    {
        var ordered = tensors.OrderBy(t => t.OffsetBytes).ToList();
        for (var i = 1; i < ordered.Count; i++)
        {
            if (ordered[i].OffsetBytes < ordered[i - 1].OffsetBytes + ordered[i - 1].SizeBytes)
            {
                throw new ModelFormatException(file, ordered[i].Name, $"overlaps {ordered[i - 1].Name}");
            }
        }
    }
}
