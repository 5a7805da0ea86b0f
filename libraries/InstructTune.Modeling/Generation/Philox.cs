namespace InstructTune.Modeling.Generation;

/// <summary>Philox4x32-10: random numbers by counting, without state. What is drawn for a token depends on its place alone.</summary>
public static class Philox
{
    private const int Rounds = 10;
    private const uint MultiplierA = 0xD2511F53, MultiplierB = 0xCD9E8D57;
    private const uint WeylA = 0x9E3779B9, WeylB = 0xBB67AE85;

    /// <summary>A number in [0, 1) with 53 random bits.</summary>
    /// <param name="seed">Of the request.</param>
    /// <param name="index">Of the token in the output.</param>
    /// <param name="choice">Of the completion among several of one request.</param>
    public static double Uniform(ulong seed, ulong index, uint choice)
    {
        var words = Block(((uint)index, (uint)(index >> 32), choice, 0), ((uint)seed, (uint)(seed >> 32)));
        return (((words.X0 >> 5) * 67108864.0) + (words.X1 >> 6)) / 9007199254740992.0;
    }

    internal static (uint X0, uint X1, uint X2, uint X3) Block((uint C0, uint C1, uint C2, uint C3) counter, (uint K0, uint K1) key)
    {
        var (x0, x1, x2, x3) = counter;
        var (k0, k1) = key;
        for (var round = 0; round < Rounds; round++)
        {
            var a = (ulong)MultiplierA * x0;
            var b = (ulong)MultiplierB * x2;
            (x0, x1, x2, x3) = ((uint)(b >> 32) ^ x1 ^ k0, (uint)b, (uint)(a >> 32) ^ x3 ^ k1, (uint)a);
            unchecked
            {
                k0 += WeylA;
                k1 += WeylB;
            }
        }

        return (x0, x1, x2, x3);
    }
}
