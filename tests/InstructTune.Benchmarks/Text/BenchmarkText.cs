using System.Text;
using InstructTune.SyntheticWorld;

namespace InstructTune.Benchmarks.Text;

/// <summary>Texts to measure with, cut into documents of a few thousand characters.</summary>
internal sealed record BenchmarkText(string Name, IReadOnlyList<string> Documents)
{
    private const int DocumentCharacters = 4_000;
    private const int LimitCharacters = 4_000_000;

    public long SizeBytes { get; } = Documents.Sum(d => (long)Encoding.UTF8.GetByteCount(d));

    /// <summary>Our own made text, and the real texts of the data folder where there is one.</summary>
    public static IEnumerable<BenchmarkText> All(string? dataFolder)
    {
        yield return new("synthetic", Cut(string.Join('\n', World.BaseDocuments(40_000))));
        if (dataFolder is not null && Directory.Exists(dataFolder))
        {
            var files = Directory.EnumerateFiles(dataFolder, "*.*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
            yield return new("real", Cut(string.Concat(files.Select(Beginning))));
        }
    }

    private static string Beginning(string path)
    {
        using var reader = new StreamReader(path);
        var characters = new char[250_000];
        return new string(characters, 0, reader.ReadBlock(characters));
    }

    private static List<string> Cut(string text) =>
        [.. text[..Math.Min(text.Length, LimitCharacters)].Chunk(DocumentCharacters).Select(c => new string(c))];
}
