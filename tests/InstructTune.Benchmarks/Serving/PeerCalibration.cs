namespace InstructTune.Benchmarks.Serving;

/// <summary>Finds the settings with which llama.cpp is fastest on the loaded model.</summary>
internal static class PeerCalibration
{
    private const int Streams = 8;
    private const int Steps = 6;
    private const int PromptTokens = 4;

    public static PeerSettings Best(PeerProcess peer) =>
        new[] { new PeerSettings(true, true), new PeerSettings(false, true), new PeerSettings(false, false), new PeerSettings(true, false) }.MinBy(settings => Seconds(peer, settings))!;

    private static double Seconds(PeerProcess peer, PeerSettings settings)
    {
        peer.Ask(new PeerRequest { Action = "contexts", Streams = Streams, TokensPerStream = 64, Settings = settings });
        var prompts = Enumerable.Range(0, Streams).Select(stream => Enumerable.Range(100 + stream, PromptTokens).ToArray()).ToArray();
        peer.Ask(new PeerRequest { Action = "run", Prompts = [.. prompts.Select(p => p[..2])], Steps = 1 });
        var runs = Enumerable.Range(0, 2).Select(_ => peer.Ask(new PeerRequest { Action = "run", Prompts = prompts, Steps = Steps })).ToArray();
        return runs.Min(run => run.PromptSeconds + run.StepSeconds.Sum());
    }
}
