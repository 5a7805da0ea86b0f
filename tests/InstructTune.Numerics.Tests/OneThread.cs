using System.Globalization;
using System.Runtime.CompilerServices;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Numerics.Tests;

/// <summary>
/// The machine is shared, so tests compute with one thread; INSTRUCTTUNE_TEST_THREADS asks for more, and what is promised of bits holds
/// there too.
/// </summary>
internal static class OneThread
{
    [ModuleInitializer]
    public static void Pin() =>
        TorchThreads.Pin(int.Parse(Environment.GetEnvironmentVariable("INSTRUCTTUNE_TEST_THREADS") ?? "1", CultureInfo.InvariantCulture));
}
