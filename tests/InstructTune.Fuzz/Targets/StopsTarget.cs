using System.Text;
using InstructTune.Modeling.Generation;

namespace InstructTune.Fuzz.Targets;

/// <summary>Stop sequences and a text, cut in two ways: lines of the input are stops but for the last, which is the text.</summary>
internal sealed class StopsTarget : FuzzTarget
{
    public override string Name => "stops";

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[] { "\n", "ab", "aab", "abab", "\ud83d\ude00", "###", "\u0000" }.Select(Bytes.Text)];

    public override IReadOnlyList<byte[]> Seeds() => [.. new[] { "ab\nabc\nbcd\nxxaabcdabab", "###\nUser:\ntext # ## ### User:", "\ud83d\ude00\ud83d\nsmile \ud83d\ude00\ud83d\ude00" }.Select(Bytes.Text)];

    public override long AllocationLimitBytes(int inputSizeBytes) => 1_000_000 + (64L * inputSizeBytes * Math.Max(64, inputSizeBytes / 16));

    public override void Run(byte[] input)
    {
        var lines = Encoding.UTF8.GetString(input).Split('\n');
        string[] stops = [.. lines[..^1].Where(s => s.Length <= 64).Take(16)];
        var whole = Cut(lines[^1], stops, _ => int.MaxValue);
        var single = Cut(lines[^1], stops, _ => 1);
        var mixed = Cut(lines[^1], stops, i => (i * 7 % 5) + 1);
        if (whole != single || whole != mixed)
        {
            throw new InvariantException($"The text depends on how it is cut: {whole}, {single}, {mixed}.");
        }

        if (stops.Any(s => whole.Text.Contains(s, StringComparison.Ordinal)))
        {
            throw new InvariantException("A stop sequence is in the text.");
        }
    }

    // An empty stop sequence would end every text.
    public override bool IsRefusal(Exception exception) => exception is ArgumentException { ParamName: "stops" };

    private static (string Text, string? Stop) Cut(string text, string[] stops, Func<int, int> length)
    {
        var matcher = new StopMatcher(stops);
        var result = new StringBuilder();
        var piece = 0;
        for (var at = 0; at < text.Length; piece++)
        {
            var take = Math.Min(length(piece), text.Length - at);
            result.Append(matcher.Append(text.Substring(at, take)));
            at += take;
        }

        return (result.Append(matcher.Flush()).ToString(), matcher.Matched);
    }
}
