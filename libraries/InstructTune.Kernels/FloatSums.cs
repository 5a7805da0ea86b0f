namespace InstructTune.Kernels;

/// <summary>
/// Sums of products with weights without scales. An addition waits four cycles for the one before it, and two can begin in each: eight sums are
/// made at a time wherever there are so many, of other outputs, other rows, or other columns of the same output. The order of additions within a
/// sum is always the same, <see cref="SumColumns"/> products in ascending order and then their sum to the total, so which way is taken changes no bit.
/// </summary>
internal static unsafe class FloatSums<TFormat, T>
    where TFormat : struct, IFloatFormat
    where T : struct, ILanes<T>
{
    /// <summary>Lanes that <see cref="Row"/> fills at once.</summary>
    public const int LanesOfRow = 4;

    /// <summary>Inputs that are summed on their own before they join the total: shorter sums round less.</summary>
    private const int SumColumns = 128;

    private static int InputBytes => KernelMatrix.GroupOutputs * TFormat.Bytes;

    /// <summary>One row and many groups.</summary>
    public static void Row(float* x, byte* weights, long groupBytes, int inputs, float* y)
    {
        var lanesBytes = T.Groups * groupBytes;
        byte* w1 = weights + lanesBytes, w2 = w1 + lanesBytes, w3 = w2 + lanesBytes;
        T t0 = default, t1 = default, t2 = default, t3 = default;
        for (var start = 0; start < inputs; start += SumColumns)
        {
            T s0 = default, s1 = default, s2 = default, s3 = default;
            var end = Math.Min(start + SumColumns, inputs);
            for (var i = start; i < end; i++)
            {
                var at = (long)i * InputBytes;
                s0 = T.MultiplyAdd(T.Load<TFormat>(weights + at, groupBytes), x + i, s0);
                s1 = T.MultiplyAdd(T.Load<TFormat>(w1 + at, groupBytes), x + i, s1);
                s2 = T.MultiplyAdd(T.Load<TFormat>(w2 + at, groupBytes), x + i, s2);
                s3 = T.MultiplyAdd(T.Load<TFormat>(w3 + at, groupBytes), x + i, s3);
            }

            (t0, t1, t2, t3) = (T.Add(t0, s0), T.Add(t1, s1), T.Add(t2, s2), T.Add(t3, s3));
        }

        var width = T.Groups * KernelMatrix.GroupOutputs;
        T.Store(t0, y);
        T.Store(t1, y + width);
        T.Store(t2, y + (2 * width));
        T.Store(t3, y + (3 * width));
    }

    /// <summary>One row and few groups: four spans of columns at a time.</summary>
    public static void NarrowRow(float* x, byte* weights, long groupBytes, int inputs, float* y)
    {
        T total = default;
        var start = 0;
        for (; start + (4 * SumColumns) <= inputs; start += 4 * SumColumns)
        {
            T s0 = default, s1 = default, s2 = default, s3 = default;
            for (var i = start; i < start + SumColumns; i++)
            {
                var at = weights + ((long)i * InputBytes);
                s0 = T.MultiplyAdd(T.Load<TFormat>(at, groupBytes), x + i, s0);
                s1 = T.MultiplyAdd(T.Load<TFormat>(at + (SumColumns * InputBytes), groupBytes), x + i + SumColumns, s1);
                s2 = T.MultiplyAdd(T.Load<TFormat>(at + (2 * SumColumns * InputBytes), groupBytes), x + i + (2 * SumColumns), s2);
                s3 = T.MultiplyAdd(T.Load<TFormat>(at + (3 * SumColumns * InputBytes), groupBytes), x + i + (3 * SumColumns), s3);
            }

            total = T.Add(T.Add(T.Add(T.Add(total, s0), s1), s2), s3);
        }

        for (; start < inputs; start += SumColumns)
        {
            T sum = default;
            var end = Math.Min(start + SumColumns, inputs);
            for (var i = start; i < end; i++)
            {
                sum = T.MultiplyAdd(T.Load<TFormat>(weights + ((long)i * InputBytes), groupBytes), x + i, sum);
            }

            total = T.Add(total, sum);
        }

        T.Store(total, y);
    }

    /// <summary>Four rows.</summary>
    public static void Tile(RowTile rows, byte* weights, long groupBytes, int inputs) =>
        TileRest(rows, weights, groupBytes, 0, inputs, default, default, default, default);

    /// <summary>Four rows and so few groups that they make only four sums: two spans of columns at a time.</summary>
    public static void NarrowTile(RowTile rows, byte* weights, long groupBytes, int inputs)
    {
        const int Pair = 2 * SumColumns;
        float* x0 = rows.X0, x1 = rows.X1, x2 = rows.X2, x3 = rows.X3;
        T t0 = default, t1 = default, t2 = default, t3 = default;
        var start = 0;
        for (; start + Pair <= inputs; start += Pair)
        {
            T s0 = default, s1 = default, s2 = default, s3 = default, u0 = default, u1 = default, u2 = default, u3 = default;
            for (var i = start; i < start + SumColumns; i++)
            {
                var at = weights + ((long)i * InputBytes);
                var (first, second) = (T.Load<TFormat>(at, groupBytes), T.Load<TFormat>(at + (SumColumns * InputBytes), groupBytes));
                s0 = T.MultiplyAdd(first, x0 + i, s0);
                s1 = T.MultiplyAdd(first, x1 + i, s1);
                s2 = T.MultiplyAdd(first, x2 + i, s2);
                s3 = T.MultiplyAdd(first, x3 + i, s3);
                u0 = T.MultiplyAdd(second, x0 + i + SumColumns, u0);
                u1 = T.MultiplyAdd(second, x1 + i + SumColumns, u1);
                u2 = T.MultiplyAdd(second, x2 + i + SumColumns, u2);
                u3 = T.MultiplyAdd(second, x3 + i + SumColumns, u3);
            }

            (t0, t1, t2, t3) = (T.Add(T.Add(t0, s0), u0), T.Add(T.Add(t1, s1), u1), T.Add(T.Add(t2, s2), u2), T.Add(T.Add(t3, s3), u3));
        }

        TileRest(rows, weights, groupBytes, start, inputs, t0, t1, t2, t3);
    }

    private static void TileRest(RowTile rows, byte* weights, long groupBytes, int start, int inputs, T t0, T t1, T t2, T t3)
    {
        float* x0 = rows.X0, x1 = rows.X1, x2 = rows.X2, x3 = rows.X3;
        weights += (long)start * InputBytes;
        for (; start < inputs; start += SumColumns)
        {
            T s0 = default, s1 = default, s2 = default, s3 = default;
            var end = Math.Min(start + SumColumns, inputs);
            for (var i = start; i < end; i++, weights += InputBytes)
            {
                var weight = T.Load<TFormat>(weights, groupBytes);
                s0 = T.MultiplyAdd(weight, x0 + i, s0);
                s1 = T.MultiplyAdd(weight, x1 + i, s1);
                s2 = T.MultiplyAdd(weight, x2 + i, s2);
                s3 = T.MultiplyAdd(weight, x3 + i, s3);
            }

            (t0, t1, t2, t3) = (T.Add(t0, s0), T.Add(t1, s1), T.Add(t2, s2), T.Add(t3, s3));
        }

        rows.Store(t0, t1, t2, t3);
    }
}
