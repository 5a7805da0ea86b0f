namespace InstructTune.Modeling.Templates;

/// <summary>Sorts as Python does: equal items keep their order, and what the comparison throws comes through.</summary>
internal static class StableSort
{
    public static T[] Of<T>(IEnumerable<T> items, Comparison<T> compare)
    {
        var sorted = items.ToArray();
        var other = new T[sorted.Length];
        for (var width = 1; width < sorted.Length; width *= 2)
        {
            for (var start = 0; start < sorted.Length; start += 2 * width)
            {
                Merge(sorted, other, start, Math.Min(start + width, sorted.Length), Math.Min(start + (2 * width), sorted.Length), compare);
            }

            (sorted, other) = (other, sorted);
        }

        return sorted;
    }

    private static void Merge<T>(T[] from, T[] to, int left, int middle, int end, Comparison<T> compare)
    {
        var right = middle;
        for (var i = left; i < end; i++)
        {
            var takesLeft = right == end || (left < middle && compare(from[right], from[left]) >= 0);
            to[i] = takesLeft ? from[left++] : from[right++];
        }
    }
}
