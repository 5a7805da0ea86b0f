using System.Text.Json;

namespace InstructTune.Unit.Tests.Metrics.Parity;

/// <summary>Outputs of other programs, read where they lie. A test that needs one that is absent is skipped, visibly.</summary>
internal static class ReferenceFolder
{
    private static string Root => Environment.GetEnvironmentVariable("INSTRUCTTUNE_FIXTURES") ?? BesideTheRepository();

    /// <summary>The path of a file or folder below the fixtures.</summary>
    public static string Require(string relativePath)
    {
        var path = Path.GetFullPath(Path.Combine(Root, relativePath));
        if (!Path.Exists(path))
        {
            Assert.Skip($"{relativePath} is not below INSTRUCTTUNE_FIXTURES ({Root}).");
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

    private static string BesideTheRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "InstructTune.sln")))
            {
                return Path.Combine(folder.FullName, "..", "shared", "fixtures");
            }
        }
        return Path.Combine(AppContext.BaseDirectory, "fixtures");
    }
}
