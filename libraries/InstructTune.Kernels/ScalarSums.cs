using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>Sums of a block of codes, one product at a time: what the kernels of every format are compared with.</summary>
internal static unsafe class ScalarSums
{
    /// <param name="code">The code of an output and an input of a block.</param>
    /// <param name="chunks">The block.</param>
    /// <param name="codes">The activations.</param>
    public static Vector256<int> Of(delegate*<byte*, int, int, int> code, byte* chunks, sbyte* codes)
    {
        var sums = Vector256<int>.Zero;
        for (var output = 0; output < KernelMatrix.GroupOutputs; output++)
        {
            var sum = 0;
            for (var i = 0; i < ActivationRows.BlockColumns; i++)
            {
                sum += code(chunks, output, i) * codes[i];
            }

            sums = sums.WithElement(output, sum);
        }

        return sums;
    }
}
