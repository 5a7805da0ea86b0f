namespace InstructTune.Kernels;

/// <summary>Four rows of activations that share one read of the weights, and where their results go.</summary>
internal readonly unsafe struct RowTile(float* x, int strideX, float* y, long strideY)
{
    public float* X0 => x;

    public float* X1 => x + strideX;

    public float* X2 => x + (2 * strideX);

    public float* X3 => x + (3 * strideX);

    /// <summary>The same rows, with results that begin further on.</summary>
    public RowTile At(int output) => new(x, strideX, y + output, strideY);

    public void Store<T>(T t0, T t1, T t2, T t3)
        where T : struct, ILanes<T>
    {
        T.Store(t0, y);
        T.Store(t1, y + strideY);
        T.Store(t2, y + (2 * strideY));
        T.Store(t3, y + (3 * strideY));
    }
}
