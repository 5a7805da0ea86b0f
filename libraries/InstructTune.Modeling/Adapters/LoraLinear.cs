// Shape letters in this file:
//   M rows   I inputs   O outputs   R rank

using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>The adapter of one linear layer: W x + b + s * B(A(dropout(x))), or the DoRA form of it.</summary>
public sealed class LoraLinear
{
    internal LoraLinear(string path, Tensor a_RI, Tensor b_OR, double scale, double dropout)
    {
        (Path, A_RI, B_OR, Scale, Dropout) = (path, a_RI, b_OR, scale, dropout);
    }

    /// <summary>The module, such as model.layers.0.self_attn.q_proj.</summary>
    public string Path { get; }

    /// <summary>The inner product.</summary>
    public Tensor A_RI { get; }

    /// <summary>The outer product.</summary>
    public Tensor B_OR { get; }

    /// <summary>Factor on B A.</summary>
    public double Scale { get; }

    /// <summary>Share of inputs dropped in training.</summary>
    public double Dropout { get; }

    /// <summary>Rank of the pair.</summary>
    public int Rank => (int)A_RI.size(0);

    internal Tensor? BiasOfB_O { get; init; }

    internal Tensor? Magnitude_O { get; init; }

    internal Tensor? BaseBias_O { get; init; }

    /// <summary>Whether the base product can be computed before and apart from this adapter.</summary>
    internal bool IsAdditive => Magnitude_O is null && BaseBias_O is null;

    /// <summary>Adds the adapter to a finished base product.</summary>
    internal Tensor Add(Tensor x_MI, Tensor y_MO, RowSeeds? dropout)
    {
        var h_MR = nn.functional.linear(Dropped(x_MI, dropout), A_RI);
        var sum_MO = y_MO.addmm(h_MR, B_OR.t(), 1, (float)Scale);
        return BiasOfB_O is null ? sum_MO : sum_MO.add(BiasOfB_O, LivingScalar.Of(Scale));
    }

    /// <summary>Base product and adapter together.</summary>
    internal Tensor Forward(Projection module, Tensor x_MI, RowSeeds? dropout)
    {
        var bias_O = BaseBias_O ?? module.Bias_O;
        if (Magnitude_O is null)
        {
            return Add(x_MI, module.Weight.Linear(x_MI, bias_O), dropout);
        }

        // As PEFT: with dropout the base product of the direction reads the dropped input too.
        var ratio_O = Magnitude_O / DirectionNorm(module.Weight);
        var dropped_MI = Dropped(x_MI, dropout);
        var base_MO = module.Weight.Linear(x_MI, null);
        var baseDropped_MO = ReferenceEquals(dropped_MI, x_MI) ? base_MO : module.Weight.Linear(dropped_MI, null);
        var h_MR = nn.functional.linear(dropped_MI, A_RI);
        var y_MO = base_MO
            .add(ratio_O.sub(LivingScalar.One) * baseDropped_MO, LivingScalar.One)
            .add((ratio_O * nn.functional.linear(h_MR, B_OR)).mul(LivingScalar.Of(Scale)), LivingScalar.One);
        return bias_O is null ? y_MO : y_MO.add(bias_O, LivingScalar.One);
    }

    /// <summary>The weight that base and adapter make together.</summary>
    internal Tensor MergedWeight(Tensor weight_OI)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var sum_OI = weight_OI.add(B_OR.mm(A_RI).mul_(LivingScalar.Of(Scale)), LivingScalar.One);
        var merged_OI = Magnitude_O is null ? sum_OI : (Magnitude_O / RowNorm(sum_OI)).unsqueeze(1) * sum_OI;
        return merged_OI.MoveToOuterDisposeScope();
    }

    /// <summary>DoRA's factor of each output: magnitude over the length of the direction.</summary>
    internal Tensor DirectionRatio(Tensor weight_OI)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var sum_OI = weight_OI.add(B_OR.mm(A_RI).mul_(LivingScalar.Of(Scale)), LivingScalar.One);
        return (Magnitude_O! / RowNorm(sum_OI)).MoveToOuterDisposeScope();
    }

    /// <summary>Lengths of the rows of a matrix.</summary>
    internal static Tensor RowNorm(Tensor matrix_OI) => linalg.vector_norm(matrix_OI, 2, [1], keepdim: false);

    private Tensor DirectionNorm(WeightMatrix weight)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        return RowNorm(weight.Read().add(B_OR.mm(A_RI).mul_(LivingScalar.Of(Scale)), LivingScalar.One)).MoveToOuterDisposeScope();
    }

    private Tensor Dropped(Tensor x_MI, RowSeeds? dropout) =>
        dropout is not null && Dropout > 0 ? x_MI * DropoutMask.Draw(x_MI.size(0), x_MI.size(1), Dropout, dropout.Derive(Path)) : x_MI;
}
