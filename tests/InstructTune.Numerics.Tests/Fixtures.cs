using System.Text.Json;

namespace InstructTune.Numerics.Tests;

/// <summary>Reference outputs of peers. Tests that need them are skipped, visibly, where they are absent.</summary>
internal static class Fixtures
{
    public static string? Root { get; } = FindRoot();

    /// <summary>A folder of the fixtures; skips the test without it.</summary>
    public static string Folder(params string[] parts)
    {
        Assert.SkipWhen(Root is null, "The reference outputs are not here: set INSTRUCTTUNE_FIXTURES.");
        var path = Path.Combine([Root!, .. parts]);
        Assert.SkipUnless(Directory.Exists(path), $"{string.Join('/', parts)} is not among the reference outputs.");
        return path;
    }

    /// <summary>Names of the folders below one; empty where the fixtures are absent.</summary>
    public static IEnumerable<string> Names(params string[] parts)
    {
        var path = Root is null ? null : Path.Combine([Root, .. parts]);
        return path is null || !Directory.Exists(path) ? [] : Directory.GetDirectories(path).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal);
    }

    public static JsonElement Json(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }

    public static int[] Ints(this JsonElement element) => [.. element.EnumerateArray().Select(e => e.GetInt32())];

    private static string? FindRoot()
    {
        if (Environment.GetEnvironmentVariable("INSTRUCTTUNE_FIXTURES") is { Length: > 0 } given)
        {
            return given;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "InstructTune.sln")))
            {
                var path = Path.Combine(folder.FullName, "..", "shared", "fixtures");
                return Directory.Exists(path) ? Path.GetFullPath(path) : null;
            }
        }

        return null;
    }
}
