using System.Globalization;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>How much is measured. The whole form fits into ten minutes of a quiet machine with two processors.</summary>
internal sealed record TrafficOptions
{
    public required string Server { get; init; }

    public required string Models { get; init; }

    public required string Commit { get; init; }

    /// <summary>As Inference:WeightFormat: gguf for the Q8_0 file as it is, or int8.</summary>
    public string WeightFormat { get; init; } = "gguf";

    public bool IsQuick { get; init; }

    /// <summary>Parts to measure; all when empty.</summary>
    public string Rows { get; init; } = "";

    /// <summary>Of the cells with closed-loop streams.</summary>
    public int Repetitions { get; init; } = 7;

    /// <summary>Of a cell with closed-loop streams.</summary>
    public TimeSpan Window => TimeSpan.FromSeconds(IsQuick ? 0.6 : 1.7);

    /// <summary>Of arrivals at one rate.</summary>
    public TimeSpan Arrivals => TimeSpan.FromSeconds(IsQuick ? 2 : 12);

    public TimeSpan CapacityWindow => TimeSpan.FromSeconds(IsQuick ? 2 : 8);

    public int ArrivalRounds => IsQuick ? 1 : 2;

    /// <summary>Of the adapters, those whose first use is measured.</summary>
    public int FirstUses => IsQuick ? 5 : TrafficStore.Adapters;

    public TimeSpan WarmUp => TimeSpan.FromSeconds(IsQuick ? 3 : 10);

    public int Cancels => IsQuick ? 12 : 60;

    public int PrefixRounds => IsQuick ? 1 : 5;

    public int WarmStarts => IsQuick ? 1 : 3;

    /// <summary>In all, for the machine to come to rest; afterwards what else runs is only told.</summary>
    public TimeSpan LongestRest => TimeSpan.FromSeconds(IsQuick ? 4 : 45);

    public static TrafficOptions Read(string[] args)
    {
        var isQuick = args.Contains("--quick", StringComparer.Ordinal);
        var values = args.Where(arg => arg != "--quick").Chunk(2).ToDictionary(
            pair => pair[0], pair => pair.Length == 2 ? pair[1] : throw new ArgumentException($"{pair[0]} needs a value.", nameof(args)), StringComparer.Ordinal);
        return new TrafficOptions
        {
            Server = values["--server"], Models = values["--models"], Commit = values["--commit"], IsQuick = isQuick,
            Repetitions = int.Parse(values.GetValueOrDefault("--repetitions", isQuick ? "2" : "7"), CultureInfo.InvariantCulture),
            WeightFormat = values.GetValueOrDefault("--weight-format", "gguf"), Rows = values.GetValueOrDefault("--rows", ""),
        };
    }
}
