namespace InstructTune.Modeling.Templates;

/// <summary>Python's rules for the bounds of a slice.</summary>
internal static class SliceRange
{
    public static PyRange Of(long count, object? start, object? stop, object? step)
    {
        var stride = step is null ? 1 : Index(step);
        if (stride == 0)
        {
            throw TemplateException.Value("slice step cannot be zero");
        }

        var (low, high) = stride > 0 ? (0L, count) : (-1L, count - 1);
        var first = start is null ? (stride > 0 ? low : high) : Clamped(Index(start), count, low, high);
        var last = stop is null ? (stride > 0 ? high : low) : Clamped(Index(stop), count, low, high);
        var range = new PyRange(first, last, stride);
        return new PyRange(first, first + (range.Count * stride), stride);
    }

    private static long Clamped(long index, long count, long low, long high) => Math.Clamp(index < 0 ? index + count : index, low, Math.Max(low, high));

    private static long Index(object? value) => value is Undefined || Numbers.Whole(value) is null
        ? throw TemplateException.Type("slice indices must be integers or None or have an __index__ method")
        : Numbers.ToIndex(value);
}
