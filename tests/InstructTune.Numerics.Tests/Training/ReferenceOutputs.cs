using System.Text.Json;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>Reference outputs of other programs; tests that need them are skipped, visibly, where the folder is absent.</summary>
internal static class ReferenceOutputs
{
    public static string Root =>
        Environment.GetEnvironmentVariable("INSTRUCTTUNE_FIXTURES") ?? Path.Combine(RepositoryRoot(), "..", "shared", "fixtures");

    public static string Folder(params string[] parts)
    {
        var folder = Path.Combine([Root, .. parts]);
        Assert.SkipUnless(Path.Exists(folder), $"no reference outputs at {folder}; set INSTRUCTTUNE_FIXTURES to their folder");
        return folder;
    }

    public static JsonElement Json(params string[] parts) => JsonDocument.Parse(File.ReadAllText(Folder(parts))).RootElement;

    public static IEnumerable<JsonElement> JsonLines(params string[] parts) =>
        File.ReadLines(Folder(parts)).Select(line => JsonDocument.Parse(line).RootElement);

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "InstructTune.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? AppContext.BaseDirectory;
    }
}
