using System.Globalization;

namespace InstructTune.JobsLoad;

/// <param name="Jobs">How many are created.</param>
/// <param name="Workers">How many take them, each over a connection of its own.</param>
/// <param name="Seed">Of crashes and zombies.</param>
internal sealed record LoadSettings(int Jobs, int Workers, int Seed)
{
    public const double CrashRate = 0.02;
    public const double ZombieRate = 0.01;

    public static LoadSettings Parse(string[] arguments) => new(Number(arguments, 0, 20_000), Number(arguments, 1, 32), Number(arguments, 2, 1));

    private static int Number(string[] arguments, int index, int otherwise) =>
        index < arguments.Length ? int.Parse(arguments[index], CultureInfo.InvariantCulture) : otherwise;
}
