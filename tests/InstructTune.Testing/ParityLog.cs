using System.Text.Json;

namespace InstructTune.Testing;

/// <summary>
/// What comparisons with other programs measured, one JSON line each, in the file that INSTRUCTTUNE_PARITY_LOG names; nowhere without it.
/// <c>eng/run parity</c> runs the tests of the trait <see cref="Category"/> = <see cref="Parity"/> and makes a table of the lines. A family
/// is one line of the table, such as "peft gradients"; a case is one thing compared, and may be told in several lines.
/// </summary>
public static class ParityLog
{
    /// <summary>Name of the trait that marks comparisons.</summary>
    public const string Category = "Category";

    /// <summary>Value of that trait.</summary>
    public const string Parity = "Parity";

    private static readonly Lock s_lock = new();
    private static readonly string? s_path = Environment.GetEnvironmentVariable("INSTRUCTTUNE_PARITY_LOG");

    /// <summary>Records an error and returns whether it is within the tolerance, for the assertion of the test.</summary>
    public static bool IsWithin(string family, string name, double error, double tolerance)
    {
        var holds = error <= tolerance;
        Write(family, name, double.IsFinite(error) ? error : double.MaxValue, tolerance, holds ? "equal" : "mismatch");
        return holds;
    }

    /// <summary>Records a comparison that admits no error, and returns its outcome.</summary>
    public static bool IsEqual(string family, string name, bool equal)
    {
        Write(family, name, null, null, equal ? "equal" : "mismatch");
        return equal;
    }

    /// <summary>Records a case that was not compared, and why.</summary>
    public static void Skip(string family, string name, string reason) => Write(family, name, null, null, "skipped", reason);

    private static void Write(string family, string name, double? error, double? tolerance, string outcome, string? reason = null)
    {
        if (s_path is not { Length: > 0 })
        {
            return;
        }

        var line = JsonSerializer.Serialize(new { family, @case = name, error, tolerance, outcome, reason });
        lock (s_lock)
        {
            File.AppendAllText(s_path, line + "\n");
        }
    }
}
