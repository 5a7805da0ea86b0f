// Shape letters in this file:
//   M rows   I inputs   O outputs

using static TorchSharp.torch;

namespace InstructTune.Modeling.Numerics;

/// <summary>
/// Whether libtorch's products of whole blocks of rows have the same bits however many blocks stand side by side, on this processor and with these threads. That
/// a prompt has the same bits in every company rests on it; the processors it was tested on are few.
/// </summary>
public static class BlockIndependence
{
    private const int BlockRows = 64;
    private const int MostRows = 4 * BlockRows;

    private static readonly Lazy<bool> s_holds = new(static () => Check(static (x_MI, w_OI) => nn.functional.linear(x_MI, w_OI)));

    /// <summary>Outputs and inputs: of layers, narrow ones as an adapter has them among them.</summary>
    private static readonly (int Outputs, int Inputs)[] s_shapes = [(64, 64), (16, 576), (576, 16), (1536, 576), (512, 1376), (192, 2048)];

    /// <summary>Measured once, in a fraction of a second.</summary>
    public static bool Holds => s_holds.Value;

    internal static bool Check(Func<Tensor, Tensor, Tensor> product)
    {
        using var frozen = no_grad();
        foreach (var (outputs, inputs) in s_shapes)
        {
            using var scope = NewDisposeScope();
            using var generator = StepSeed.Of(1, "block independence", outputs, "values").NewGenerator();
            var x_MI = randn([MostRows, inputs], ScalarType.Float32, generator: generator);
            var w_OI = randn([outputs, inputs], ScalarType.Float32, generator: generator);
            var whole_MO = product(x_MI, w_OI);
            for (var count = BlockRows; count < MostRows; count += BlockRows)
            {
                for (var first = 0; first + count <= MostRows; first += BlockRows)
                {
                    var part_MO = product(x_MI.narrow(0, first, count), w_OI);
                    if (!part_MO.bytes.SequenceEqual(whole_MO.narrow(0, first, count).contiguous().bytes))
                    {
                        return false;
                    }
                }
            }
        }

        return true;
    }
}
