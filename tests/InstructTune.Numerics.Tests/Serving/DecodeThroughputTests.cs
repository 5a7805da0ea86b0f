using System.Diagnostics;
using InstructTune.Kernels;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Serving;

/// <summary>Tokens per second of the kernels in the shape of SmolLM2-135M, for eng/run bench-decode; not among the tests that always run.</summary>
public sealed class DecodeThroughputTests
{
    private const int Prompt = 128;
    private const int Steps = 32;

    private static readonly LlamaConfig s_config = new()
    {
        VocabularySize = 49_152,
        ModelWidth = 576,
        FeedForwardWidth = 1536,
        LayerCount = 30,
        QueryHeads = 9,
        KeyValueHeads = 3,
        HeadWidth = 64,
        ContextTokens = 8192,
        TiedEmbeddings = true,
    };

    private static bool IsPinned => string.Equals(Environment.GetEnvironmentVariable("INSTRUCTTUNE_BENCH_THREADS"), "pinned", StringComparison.Ordinal);

    private static WeightFormat[] Formats =>
        Environment.GetEnvironmentVariable("INSTRUCTTUNE_BENCH_FORMAT") is { Length: > 0 } one ? [Enum.Parse<WeightFormat>(one, ignoreCase: true)] : Enum.GetValues<WeightFormat>();

    [Fact(Explicit = true)]
    public void Print_the_decode_and_prefill_rate_of_every_format()
    {
        using var folder = new TemporaryFolder();
        using (var model = LlamaModel.CreateRandom(s_config, new StepSeed(1)))
        {
            HuggingFaceFolder.Write(folder.Path, model, storageType: "bfloat16");
        }

        var lines = new List<string>();
        foreach (var format in Formats)
        {
            using var served = new ServedKernels(folder.Path, format, sequences: 16, threads: Environment.ProcessorCount, pinned: IsPinned);
            foreach (var streams in new[] { 1, 4, 8, 16 })
            {
                var seconds = Decode(served, streams);
                var tokens = streams * Steps / seconds;
                lines.Add(FormattableString.Invariant(
                    $"{format}: {streams} streams, {tokens:F0} tokens/s decoded, weights read at {served.Model.SizeBytes * Steps / seconds / 1e9:F1} GB/s"));
            }

            lines.Add(FormattableString.Invariant($"{format}: prompt of 512, {512 / Prefill(served, 512):F0} tokens/s"));
        }

        TestContext.Current.TestOutputHelper!.WriteLine(string.Join('\n', lines));
        Assert.Equal(5 * Formats.Length, lines.Count);
    }

    private static double Decode(ServedKernels served, int streams)
    {
        for (var stream = 0; stream < streams; stream++)
        {
            served.Pass.Run([.. ServedKernels.Rows(stream, [.. Enumerable.Range(1, Prompt)]).Select(row => row with { WantsLogits = false })], []);
        }

        var best = double.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var step = 0; step < Steps; step++)
            {
                served.Pass.Run([.. Enumerable.Range(0, streams).SelectMany(stream => ServedKernels.Rows(stream, [7], Prompt + step))], []);
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return best;
    }

    private static double Prefill(ServedKernels served, int tokens)
    {
        var best = double.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            var started = Stopwatch.GetTimestamp();
            served.Pass.Run([.. ServedKernels.Rows(0, [.. Enumerable.Range(1, tokens)]).Select(row => row with { WantsLogits = row.Token == tokens - 1 })], []);
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return best;
    }
}
