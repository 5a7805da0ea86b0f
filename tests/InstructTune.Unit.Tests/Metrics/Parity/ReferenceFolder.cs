using System.Text.Json;
using InstructTune.Testing;

namespace InstructTune.Unit.Tests.Metrics.Parity;

/// <summary>Outputs of other programs, read where they lie. A test that needs one that is absent is skipped, visibly.</summary>
internal static class ReferenceFolder
{
    /// <summary>The path of a file or folder below the fixtures.</summary>
    public static string Require(string relativePath)
    {
        var path = Path.GetFullPath(Path.Combine(FixtureFolder.Root, relativePath));
        if (!Path.Exists(path))
        {
            Assert.Skip($"{relativePath} is not below {FixtureFolder.Root}: set {FixtureFolder.Variable}.");
        }
        return path;
    }

    /// <summary>Every line of a JSON Lines file.</summary>
    public static List<JsonElement> Rows(string relativePath)
    {
        var rows = File.ReadLines(Require(relativePath)).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.NotEmpty(rows);
        return rows;
    }

    public static string Text(this JsonElement row, string name) => row.GetProperty(name).GetString()!;

    /// <summary>A number; the references write those that are not finite as text.</summary>
    public static double Number(this JsonElement element) => element.ValueKind != JsonValueKind.String
        ? element.GetDouble()
        : element.GetString() switch
        {
            "inf" => double.PositiveInfinity,
            "-inf" => double.NegativeInfinity,
            _ => double.NaN,
        };

    public static double Number(this JsonElement row, string name) => row.GetProperty(name).Number();

    public static double[] Numbers(this JsonElement element) => [.. element.EnumerateArray().Select(Number)];

    public static string[] Texts(this JsonElement element) => [.. element.EnumerateArray().Select(item => item.GetString()!)];

    /// <summary>Whether the two agree relatively, or are both tiny beside <paramref name="floor"/>.</summary>
    public static void AssertClose(double expected, double actual, double relative, double floor, string what) =>
        Assert.True(
            expected.Equals(actual) || Math.Abs(expected - actual) <= Math.Max(relative * Math.Abs(expected), floor),
            $"{what}: expected {expected:R}, got {actual:R}");
}
