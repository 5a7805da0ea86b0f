using System.Runtime.Intrinsics.X86;

namespace InstructTune.Kernels;

/// <summary>Makes matrices of codes over one kind of instruction.</summary>
internal abstract class CodeMatrices
{
    /// <summary>What suits this processor; found out once.</summary>
    public static CodeMatrices Best { get; } = Choose<VnniProducts>(AvxVnni.IsSupported);

    /// <summary>The instruction where there is one that passes its check, or else AVX2, or plain C#.</summary>
    public static CodeMatrices Choose<TVnni>(bool isSupported)
        where TVnni : struct, ICodeProducts =>
        isSupported && CodeSelfCheck.Passes<TVnni>() ? new CodeMatrices<TVnni>()
        : Avx2.IsSupported ? new CodeMatrices<Avx2Products>()
        : new CodeMatrices<PortableProducts>();

    /// <summary>Quantises rows of float32 to <see cref="WeightFormat.Int8"/> or <see cref="WeightFormat.Int4"/>.</summary>
    public abstract KernelMatrix Quantize(WeightFormat format, int outputs, int inputs, RowReader rows);

    /// <summary>Takes stored blocks as they are.</summary>
    public abstract KernelMatrix Repack(BlockFormat format, int outputs, int inputs, StoredRowReader rows);
}

/// <inheritdoc/>
internal sealed class CodeMatrices<TProducts> : CodeMatrices
    where TProducts : struct, ICodeProducts
{
    public override KernelMatrix Quantize(WeightFormat format, int outputs, int inputs, RowReader rows) => format switch
    {
        WeightFormat.Int8 => Int8Matrix<TProducts>.Quantized(outputs, inputs, rows),
        WeightFormat.Int4 => Int4Matrix<TProducts>.Quantized(outputs, inputs, rows),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "no format of codes"),
    };

    public override KernelMatrix Repack(BlockFormat format, int outputs, int inputs, StoredRowReader rows) => format switch
    {
        BlockFormat.Q80 => Int8Matrix<TProducts>.Stored(outputs, inputs, rows),
        BlockFormat.Q40 => Int4Matrix<TProducts>.Stored(outputs, inputs, rows),
        BlockFormat.Q41 => Int4MinimumMatrix<TProducts>.Stored(outputs, inputs, rows),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "no such format"),
    };
}
