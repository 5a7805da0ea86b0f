using System.Runtime.CompilerServices;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Numerics.Tests;

/// <summary>The machine is shared, and bits must not depend on how many cores it has.</summary>
internal static class OneThread
{
    [ModuleInitializer]
    public static void Pin() => TorchThreads.Pin(1);
}
