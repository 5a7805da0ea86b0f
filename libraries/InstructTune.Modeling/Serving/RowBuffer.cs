using InstructTune.Kernels;

namespace InstructTune.Modeling.Serving;

/// <summary>Rows of float32 results, with room for whole groups of outputs.</summary>
internal sealed unsafe class RowBuffer(int rows, int columns) : IDisposable
{
    private readonly AlignedBuffer<float> _values = new((long)rows * Padded(columns));

    public int Stride { get; } = Padded(columns);

    public static long SizeBytes(int rows, int columns) => (long)rows * Padded(columns) * sizeof(float);

    public float* Row(int row) => _values.Pointer + ((long)row * Stride);

    public void Dispose() => _values.Dispose();

    private static int Padded(int columns) => (columns + KernelMatrix.GroupOutputs - 1) / KernelMatrix.GroupOutputs * KernelMatrix.GroupOutputs;
}
