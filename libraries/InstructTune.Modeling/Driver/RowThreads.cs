using InstructTune.Modeling.Numerics;

namespace InstructTune.Modeling.Driver;

/// <summary>Splits rows, or columns, over as many threads as libtorch computes with. What a row becomes must not depend on the cut.</summary>
internal static class RowThreads
{
    // Below this many elements a second thread costs more than it brings.
    private const long ElementsWorthAThread = 1 << 15;

    public static void For(int count, long elements, Action<int, int> part)
    {
        var threads = elements < ElementsWorthAThread ? 1 : Math.Min(TorchThreads.Count, count);
        if (threads == 1)
        {
            part(0, count);
            return;
        }

        TorchTeam.For(threads, i => part((int)((long)count * i / threads), (int)((long)count * (i + 1) / threads)));
    }
}
