using System.Text;
using System.Text.Json;
using InstructTune.Modeling.Generation;
using InstructTune.Numerics.Tests.Training;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Generation;

/// <summary>Against a streaming matcher and a rule over the whole text, which agree with each other.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class ReferenceStopTests
{
    [Fact]
    public void Every_case_emits_the_reference_pieces()
    {
        foreach (var (index, line) in ReferenceOutputs.JsonLines("sampling", "stops.jsonl").Index())
        {
            var matcher = new StopMatcher(Strings(line, "stops"), line.GetProperty("include_stop_str_in_output").GetBoolean());
            var emitted = Pieces(line).Select(p => matcher.Append(p)).ToList();
            var flushed = matcher.Flush();
            var expected = Strings(line, "emitted");
            var equal = matcher.Matched == line.GetProperty("matched").GetString()
                && string.Concat(emitted) + flushed == line.GetProperty("text").GetString()
                && expected.SequenceEqual(emitted.Take(expected.Length));
            Assert.True(ParityLog.IsEqual("stop strings", $"{index}", equal), $"line {index}: {string.Join('|', emitted)}");
        }
    }

    private static IEnumerable<string> Pieces(JsonElement line)
    {
        if (!line.TryGetProperty("pieces_utf8_hex", out var pieces))
        {
            return Strings(line, "pieces");
        }

        var decoder = Encoding.UTF8.GetDecoder();
        var bytes = pieces.EnumerateArray().Select(p => Convert.FromHexString(p.GetString()!)).ToList();
        var decoded = bytes.Append([]).Select((b, i) => Decode(decoder, b, flush: i == bytes.Count)).ToArray();
        Assert.Equal(Strings(line, "decoded_pieces_with_final_flush"), decoded);
        return decoded;
    }

    private static string Decode(Decoder decoder, byte[] bytes, bool flush)
    {
        var characters = new char[decoder.GetCharCount(bytes, flush)];
        decoder.GetChars(bytes, characters, flush);
        return new string(characters);
    }

    private static string[] Strings(JsonElement line, string key) => [.. line.GetProperty(key).EnumerateArray().Select(s => s.GetString()!)];
}
