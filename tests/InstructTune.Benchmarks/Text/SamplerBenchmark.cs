using InstructTune.Modeling.Generation;

namespace InstructTune.Benchmarks.Text;

/// <summary>Time and memory of one token: choosing it, reporting its log-probability, and looking for stop sequences in its text.</summary>
internal static class SamplerBenchmark
{
    private const int Tokens = 200;

    private static readonly (string Name, SamplingOptions Options)[] s_settings =
    [
        ("greedy", new() { Temperature = 0 }),
        ("temperature 1", new()),
        ("top-p 0.95", new() { Temperature = 0.8, TopP = 0.95 }),
        ("top-k 40", new() { TopK = 40 }),
        ("min-p 0.05", new() { MinP = 0.05 }),
        ("everything", new() { Temperature = 0.8, TopP = 0.95, TopK = 100, MinP = 0.01, RepetitionPenalty = 1.1, FrequencyPenalty = 0.2, PresencePenalty = 0.1 }),
    ];

    public static void Run()
    {
        Console.WriteLine($"{"vocabulary",10} {"logits",-8} {"setting",-16} {"us/token",9} {"bytes/token",12}");
        foreach (var vocabulary in (int[])[49_152, 128_256])
        {
            foreach (var (kind, spread) in ((string, double)[])[("peaked", 3), ("flat", 0.01)])
            {
                var logits = Logits(vocabulary, spread);
                foreach (var (name, options) in s_settings)
                {
                    var sampler = new Sampler(options, [1, 2, 3], []);
                    Print(vocabulary, kind, name, _ => sampler.Next(logits));
                }

                Print(vocabulary, kind, "logprobs 20", _ => TokenReport.Of(logits, 7, TokenReport.MaxAlternatives, []));
            }
        }

        var matcher = new StopMatcher(["\n\n", "###", "</s>", "User:"]);
        string[] pieces = [" the", " cat", " sat", "#", "\n", " on", "a", "User"];
        Print(0, "-", "stop matcher", i => matcher.Append(pieces[i % pieces.Length]));
    }

    private static void Print(int vocabulary, string kind, string name, Action<int> token)
    {
        var bytes = Rounds.AllocatedPerCall(Tokens, token);
        var seconds = Rounds.Measure(5, () => Array.ForEach(Enumerable.Range(0, Tokens).ToArray(), token));
        Console.WriteLine($"{vocabulary,10} {kind,-8} {name,-16} {Rounds.Median(seconds[0]) / Tokens * 1e6,9:F1} {bytes,12:F1}");
    }

    // Normal numbers by Box and Muller, the same every time.
    private static float[] Logits(int vocabulary, double spread) =>
    [
        .. Enumerable.Range(0, vocabulary).Select(i => (float)(spread
            * Math.Sqrt(-2 * Math.Log(1 - Philox.Uniform(1, (ulong)i, 0))) * Math.Cos(2 * Math.PI * Philox.Uniform(1, (ulong)i, 1)))),
    ];
}
