using Google.Protobuf.WellKnownTypes;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Cli;

public sealed class ServingViewTests
{
    [Fact]
    public void Rates_are_differences_of_two_looks()
    {
        var before = Stats(seconds: 10, output: 1000, queries: 100, hits: 0);
        var now = Stats(seconds: 12, output: 1500, queries: 300, hits: 100);

        var line = new ServingView(before, now).Line;

        Assert.Contains("out 250", line, StringComparison.Ordinal);
        Assert.Contains("prefix hits 50%", line, StringComparison.Ordinal);
        Assert.Contains("cache 25% used, 10% prefixes of 1.0 KB", line, StringComparison.Ordinal);
    }

    [Fact]
    public void One_look_has_rates_since_the_start_and_so_has_a_server_that_was_started_anew()
    {
        var now = Stats(seconds: 2, output: 100, queries: 0, hits: 0);

        Assert.Contains("out 50", new ServingView(null, now).Line, StringComparison.Ordinal);
        Assert.Contains("out 50", new ServingView(Stats(seconds: 99, output: 9999, queries: 5, hits: 5), now).Line, StringComparison.Ordinal);
        Assert.Contains("prefix hits -", new ServingView(null, now).Line, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_model_has_a_row() =>
        Assert.Equal(1, new ServingView(null, Stats(seconds: 1, output: 1, queries: 0, hits: 0)).Models().RowCount);

    private static ServingStats Stats(int seconds, long output, long queries, long hits) => new()
    {
        UpTime = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)),
        PrefixQueryCount = queries,
        PrefixHitCount = hits,
        CacheUsedBytes = 250,
        CachePrefixBytes = 100,
        CacheTotalBytes = 1000,
        Models = { new ServingStats.Types.ModelStats { ModelVersion = "models/a/versions/1", OutputTokenCount = output } },
    };
}
