using InstructTune.Kernels;

namespace InstructTune.Modeling.Serving;

/// <summary>A linear layer in packed form.</summary>
/// <param name="place">Its number among those of the model.</param>
/// <param name="path">Its path in Hugging Face.</param>
/// <param name="weight">Its matrix.</param>
/// <param name="bias">Where it has one.</param>
internal sealed unsafe class KernelLinear(int place, string path, KernelMatrix weight, AlignedBuffer<float>? bias) : IDisposable
{
    public int Place => place;

    public string Path => path;

    public KernelMatrix Weight => weight;

    /// <summary>Outputs, rounded up to whole groups: what a row of results needs.</summary>
    public int PaddedOutputs { get; } = (weight.Outputs + KernelMatrix.GroupOutputs - 1) / KernelMatrix.GroupOutputs * KernelMatrix.GroupOutputs;

    public long SizeBytes => weight.SizeBytes + (bias?.SizeBytes ?? 0);

    /// <summary>y = x W^T for a share of the outputs and all rows.</summary>
    public void Multiply(ActivationRows x, int rows, RowBuffer y, Share outputs) =>
        weight.Multiply(x, new Share(0, rows), y.Row(0), y.Stride, outputs);

    /// <summary>y += b.</summary>
    public void AddBias(int rows, RowBuffer y, Share outputs)
    {
        for (var row = 0; row < rows && bias is not null; row++)
        {
            RowMath.Add(bias.Pointer + outputs.From, y.Row(row) + outputs.From, outputs.To - outputs.From);
        }
    }

    public Share ShareOf(int member, int members) => Share.Of(weight.Outputs, member, members, KernelMatrix.GroupOutputs);

    public void Dispose()
    {
        weight.Dispose();
        bias?.Dispose();
    }
}
