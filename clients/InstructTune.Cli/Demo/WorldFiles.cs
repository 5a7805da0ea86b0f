using InstructTune.Cli.Output;
using InstructTune.SyntheticWorld;
using InstructTune.SyntheticWorld.Writing;

namespace InstructTune.Cli.Demo;

/// <summary>The data of a synthetic world as files that <c>dataset import</c> reads.</summary>
internal static class WorldFiles
{
    public const string Generalist = "generalist";
    public const string Specialist = "specialist";
    public const string HeldOut = "heldout";

    /// <summary>Where a part of the world is, or will be.</summary>
    public static string PathOf(string folder, string part) => Path.Combine(folder, part + ".jsonl");

    /// <summary>Writes every part; returns how many examples each has.</summary>
    public static IReadOnlyList<(string Part, int Count)> Write(World world, string folder)
    {
        Directory.CreateDirectory(folder);
        var parts = new (string Part, IReadOnlyList<WorldRow> Rows)[]
        {
            (Generalist, world.Generalist), (Specialist, world.SpecialistTrain), (HeldOut, world.Test),
        };
        foreach (var (part, rows) in parts)
        {
            WholeFile.Write(PathOf(folder, part), stream => JsonLinesFile.Write(stream, rows));
        }

        return [.. parts.Select(part => (part.Part, part.Rows.Count))];
    }
}
