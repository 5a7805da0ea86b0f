// Shape letters in this file:
//   V vocabulary

using System.Text.Json;
using InstructTune.Kernels;

namespace InstructTune.Modeling.Serving;

/// <summary>How far a model in fewer bits is from the same model in float32, on fixed texts. Measured, never assumed.</summary>
/// <param name="Tokens">Positions compared.</param>
/// <param name="LargestLogitGap">Greatest difference of any logit.</param>
/// <param name="TokenAgreement">Share of positions with the same most likely token.</param>
/// <param name="LossFloat32">Mean negative log-likelihood of the texts in float32.</param>
/// <param name="LossGap">What the format adds to it.</param>
public sealed record ParityCertificate(int Tokens, double LargestLogitGap, double TokenAgreement, double LossFloat32, double LossGap)
{
    /// <summary>The texts.</summary>
    public static IReadOnlyList<string> Texts { get; } =
    [
        "The river runs from the hills to the sea, and on its way it passes three villages and an old mill.",
        "Write a short list of things to take on a walk: water, a map, a warm coat and something to eat.",
        "In 1969 two people walked on the moon for the first time. They stayed for less than a day.",
        "def add(first, second):\n    return first + second\n\nprint(add(2, 3))",
        "Question: What is seven times eight? Answer: Seven times eight is fifty-six.",
        "She opened the window, looked at the rain, and decided that the letter could wait until tomorrow.",
        "Water boils at 100 degrees Celsius at sea level; on a high mountain it boils at a lower temperature.",
        "repeat the word blue three times: blue blue blue",
    ];

    /// <summary>Compares two forms of one model on texts as tokens, each of at least two.</summary>
    public static ParityCertificate Measure(KernelLlama float32, KernelLlama packed, IReadOnlyList<int[]> texts)
    {
        using var team = new Team(Math.Max(1, Environment.ProcessorCount));
        var (tokens, agreed, gap, loss32, loss) = (0, 0, 0.0, 0.0, 0.0);
        foreach (var text in texts)
        {
            using var cache32 = new KernelCache(float32.Config, text.Length);
            using var cache = new KernelCache(packed.Config, text.Length);
            using var pass32 = new KernelPass(float32, cache32, team);
            using var pass = new KernelPass(packed, cache, team);
            KernelRow[] rows = [.. text.Select((id, i) => new KernelRow(id, i, 0, WantsLogits: true))];
            pass32.Run(rows, []);
            pass.Run(rows, []);
            for (var i = 0; i < text.Length - 1; i++)
            {
                var logits32_V = pass32.Logits(i);
                var logits_V = pass.Logits(i);
                gap = Math.Max(gap, LargestDifference(logits32_V, logits_V));
                agreed += Best(logits32_V) == Best(logits_V) ? 1 : 0;
                loss32 += Loss(logits32_V, text[i + 1]);
                loss += Loss(logits_V, text[i + 1]);
                tokens++;
            }
        }

        return new ParityCertificate(tokens, gap, (double)agreed / tokens, loss32 / tokens, (loss - loss32) / tokens);
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    public static ParityCertificate Parse(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize<ParityCertificate>(json)!;

    /// <summary>For a file beside the weights.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this);

    private static double LargestDifference(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var largest = 0f;
        for (var i = 0; i < a.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(a[i] - b[i]));
        }

        return largest;
    }

    private static int Best(ReadOnlySpan<float> logits_V)
    {
        var best = 0;
        for (var i = 1; i < logits_V.Length; i++)
        {
            best = logits_V[i] > logits_V[best] ? i : best;
        }

        return best;
    }

    private static double Loss(ReadOnlySpan<float> logits_V, int id)
    {
        var (most, sum) = (logits_V[Best(logits_V)], 0.0);
        foreach (var logit in logits_V)
        {
            sum += Math.Exp(logit - most);
        }

        return Math.Log(sum) + most - logits_V[id];
    }
}
