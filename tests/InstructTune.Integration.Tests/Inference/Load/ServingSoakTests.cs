namespace InstructTune.Integration.Tests.Inference.Load;

/// <summary>The long form is <c>eng/run serving-soak [MINUTES] [SEED]</c>.</summary>
[Collection(Alone.Name)]
public sealed class ServingSoakTests
{
    private const double ShortMinutes = 0.1;

    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Mixed_traffic_gives_no_wrong_answer_and_leaves_nothing_behind()
    {
        var minutes = SoakOptions.Setting("INSTRUCTTUNE_SOAK_MINUTES", ShortMinutes);
        var options = new SoakOptions(TimeSpan.FromMinutes(minutes), Seed, RequestsPerSecond: 24);
        await using var host = await Soak.StartHostAsync(options);
        var report = await RunAsync(options, host, stopsAtWrong: false);

        TestContext.Current.SendDiagnosticMessage("{0}", report);
        await host.IsIdleAsync();
        var stats = await host.StatsAsync();
        TestContext.Current.SendDiagnosticMessage(
            "preempted {0}, prefix hits {1} of {2} tokens, adapters resident {3}",
            stats.PreemptionCount, stats.PrefixHitCount, stats.PrefixQueryCount, stats.ResidentAdapters);
        Judge(report, host, minutes);
    }

    [Fact]
    public async Task Without_the_adapter_in_the_key_a_wrong_answer_is_noticed_within_a_minute()
    {
        var options = new SoakOptions(TimeSpan.FromMinutes(1), Seed, RequestsPerSecond: 24) { LeavesOutAdapterDigest = true };
        await using var host = await Soak.StartHostAsync(options);

        var report = await RunAsync(options, host, stopsAtWrong: true);

        TestContext.Current.SendDiagnosticMessage("The defect was noticed after {0} requests.", report.Total);
        Assert.NotEmpty(report.Wrong);
    }

    private static void Judge(SoakReport report, InferenceHost host, double minutes)
    {
        var perSecond = report.Total / (minutes * 60);
        var (third, last) = report.MinuteBytes.Count >= 5 ? (report.MinuteBytes[2] / 1e6, report.MinuteBytes[^1] / 1e6) : (0, 0);
        var verdict = new Verdict(FormattableString.Invariant($"Mixed traffic for {minutes} minutes, seed {Seed}: {report}"));
        verdict.Add(
            "sequences were thrown out and computed again, and prompts found in the cache", $"{host.Figures.Preemptions} and {host.Figures.PrefixHits} tokens",
            host.Figures is { Preemptions: > 0, PrefixHits: > 0 }, isJudged: minutes >= 0.5);
        verdict.Add("no wrong answer", $"{report.Wrong.Count} of {report.Of("checked")} checked", report.Wrong.Count == 0 && report.Of("checked") > 0);
        verdict.Add("no unforeseen failure", $"{report.Faults.Count}", report.Faults.Count == 0);
        verdict.Add("no error in the servers' logs", $"{report.Errors.Count}", report.Errors.Count == 0);
        verdict.Add("no request, place or slot left", $"{host.LiveRequests}, {host.WaitingRequests}, {host.Engine.Counters.RentedBytes} bytes",
            (host.LiveRequests, host.WaitingRequests, host.Engine.Counters.RentedBytes) == (0, 0, 0L));
        verdict.Add("20 requests/s or more", FormattableString.Invariant($"{perSecond:0.0}"), perSecond >= 20, isJudged: minutes >= 5);
        verdict.Add("RSS of the last minute at most 5 % above the third's", FormattableString.Invariant($"{third:0} -> {last:0} MB"), last <= third * 1.05, isJudged: minutes >= 5);
        verdict.Close();
    }

    private static int Seed => (int)SoakOptions.Setting("INSTRUCTTUNE_SOAK_SEED", 1);

    private static async Task<SoakReport> RunAsync(SoakOptions options, InferenceHost host, bool stopsAtWrong)
    {
        await using var catalogue = await SoakCatalogue.StartAsync();
        var names = new ChangingNames(host, await SoakCatalogue.PublishAsync(host));
        for (var i = 0; i < ChangingNames.Count; i++)
        {
            names.Replace(i, i);
        }
        var soak = new Soak(options, catalogue, host, names);
        await soak.RunAsync(stopsAtWrong, _ct);
        soak.Report.Errors = [.. host.Log.Errors, .. catalogue.Errors];
        return soak.Report;
    }
}
