using System.Text.Json;

namespace InstructTune.Numerics.Tests.Gguf;

/// <summary>The GGUF files of the fixtures with what is known of them.</summary>
internal static class GgufFixtures
{
    public static string Folder => Fixtures.Folder("gguf");

    /// <summary>Names of the files; one placeholder where the fixtures are absent, whose tests are skipped.</summary>
    public static TheoryData<string> Files => [.. Names("*.gguf")];

    public static TheoryData<string> BrokenFiles => [.. Names(Path.Combine("bad", "*.gguf")).Where(n => n != "good.gguf")];

    public static JsonElement Expected(string file) => Fixtures.Json(Path.Combine(Folder, "expected.json")).GetProperty("files").EnumerateArray()
        .Single(f => f.GetProperty("file").GetString() == file);

    public static int[] InputIds => Fixtures.Json(Path.Combine(Folder, "expected.json")).GetProperty("input_ids").Ints();

    /// <summary>The Hugging Face folder that a file was made from.</summary>
    public static string HuggingFace(string file) => Path.Combine(Folder, file switch
    {
        "f32.gguf" or "f16.gguf" => "hf-plain",
        "llama3-rope.gguf" or "linear-rope.gguf" or "qwen2.gguf" => "hf-" + Path.GetFileNameWithoutExtension(file),
        _ => "hf",
    });

    private static IEnumerable<string> Names(string pattern)
    {
        var root = Fixtures.Root is null ? null : Path.Combine(Fixtures.Root, "gguf", Path.GetDirectoryName(pattern) ?? "");
        return root is null || !Directory.Exists(root)
            ? ["none"]
            : Directory.GetFiles(root, Path.GetFileName(pattern)).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal);
    }
}
