using System.Text.Json;
using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>Files of the reference runs.</summary>
internal static class ReferenceRun
{
    /// <summary>The rows of a file of data.</summary>
    public static TokenizedExample[] Rows(string path) => [.. File.ReadLines(path).Select(ToRow)];

    /// <summary>The rows that the runs of a model train on.</summary>
    public static TokenizedExample[] DataOf(string root, string model) => Rows(Path.Combine(
        root,
        Directory.EnumerateFiles(root, "run.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => JsonDocument.Parse(File.ReadAllText(path)).RootElement)
            .First(run => run.GetProperty("model").GetString() == model && run.GetProperty("method").GetString() == "full").GetProperty("data").GetString()!));

    /// <summary>Sums and length of a tensor against those that are stored in place of it, as shares of its own size.</summary>
    public static void CompareDigest(string family, string name, Tensor actual, JsonElement digest, double share)
    {
        using var scope = NewDisposeScope();
        var wide = actual.detach().to_type(ScalarType.Float64);
        var (total, length) = (digest.GetProperty("abs_sum").GetDouble(), digest.GetProperty("l2").GetDouble());
        var error = Math.Max(
            Math.Abs(wide.norm().item<double>() - length) / (length + 1e-12),
            Math.Max(
                Math.Abs(wide.sum().item<double>() - digest.GetProperty("sum").GetDouble()) / (total + 1e-12),
                Math.Abs(wide.abs().sum().item<double>() - total) / (total + 1e-12)));
        Parity.Within(family, name, error, share);
    }

    private static TokenizedExample ToRow(string line)
    {
        var row = JsonDocument.Parse(line).RootElement;
        var ids = row.GetProperty("input_ids").EnumerateArray().Select(id => id.GetInt32()).ToArray();
        return new TokenizedExample(ids, [.. row.GetProperty("labels").EnumerateArray().Select(label => label.GetInt32() != -100)]);
    }
}
