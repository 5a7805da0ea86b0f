using System.Text.Json;
using InstructTune.Metrics.Rouge;

namespace InstructTune.Unit.Tests.Metrics.Parity;

/// <summary>The expectations that google's own tests hold, whatever cases the file lists.</summary>
public sealed class RougeExpectedFileTests
{
    private static JsonElement Expected => JsonDocument.Parse(File.ReadAllText(ReferenceFolder.Require("rouge/expected.json"))).RootElement;

    [Fact]
    public void Single_pairs_have_the_figures_of_rouge_155()
    {
        var pairs = Expected.GetProperty("single_pairs");
        var files = pairs.GetProperty("files").Texts().Select(file => File.ReadAllLines(ReferenceFolder.Require("rouge/" + file))).ToList();
        foreach (var line in pairs.EnumerateObject().Where(property => property.Name.StartsWith("line", StringComparison.Ordinal)))
        {
            var index = int.Parse(line.Name["line".Length..], System.Globalization.CultureInfo.InvariantCulture);
            foreach (var metric in line.Value.EnumerateObject())
            {
                var stem = metric.Name.EndsWith("_stem", StringComparison.Ordinal);
                var name = metric.Name.Replace("_stem", "", StringComparison.Ordinal);
                AssertTriple(metric.Value, RougeParityTests.Score(name, files[0][index], files[1][index], stem), 1e-5);
            }
        }
    }

    [Fact]
    public void Plain_means_over_the_large_files_lie_by_the_bootstrap_medians()
    {
        var large = Expected.GetProperty("large");
        var files = large.GetProperty("files").Texts().Select(file => File.ReadAllLines(ReferenceFolder.Require("rouge/" + file))).ToList();
        var delta = large.GetProperty("delta").GetDouble();
        foreach (var metric in large.EnumerateObject().Where(property => property.Value.ValueKind == JsonValueKind.Object))
        {
            var stem = metric.Name.EndsWith("_stem", StringComparison.Ordinal);
            var name = metric.Name.Replace("_stem", "", StringComparison.Ordinal);
            var scores = files[0].Zip(files[1], (target, prediction) => RougeParityTests.Score(name, target, prediction, stem)).ToList();
            Assert.Equal(Mid(metric.Value, "precision"), scores.Average(score => score.Precision), delta);
            Assert.Equal(Mid(metric.Value, "recall"), scores.Average(score => score.Recall), delta);
            Assert.Equal(Mid(metric.Value, "fmeasure"), scores.Average(score => score.FMeasure), delta);
        }
    }

    private static double Mid(JsonElement metric, string part) => metric.GetProperty(part).Number("mid");

    private static void AssertTriple(JsonElement expected, RougeScore actual, double tolerance)
    {
        Assert.Equal(expected.Number("precision"), actual.Precision, tolerance);
        Assert.Equal(expected.Number("recall"), actual.Recall, tolerance);
        Assert.Equal(expected.Number("fmeasure"), actual.FMeasure, tolerance);
    }
}
