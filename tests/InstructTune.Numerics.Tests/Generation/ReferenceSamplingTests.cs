using System.Text.Json;
using InstructTune.Modeling.Generation;
using InstructTune.Numerics.Tests.Training;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Generation;

/// <summary>Against distributions of transformers and numpy in double precision: every line of the reference outputs.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class ReferenceSamplingTests
{
    private const double Tolerance = 1e-12;

    // The API has no such filter.
    private const string NotOffered = "typical_p";

    [Fact]
    public void Every_single_processor_gives_the_reference_distribution()
    {
        foreach (var (index, line) in Lines("single.jsonl").Index())
        {
            var name = $"{line.GetProperty("processor").GetString()}/{index}";
            if (line.TryGetProperty(NotOffered, out _))
            {
                ParityLog.Skip("sampling processors", name, "not offered");
                continue;
            }

            var sampler = new Sampler(Options(line), Ids(line, "ids"), [.. Ids(line, "eos_ids"), .. Ids(line, "stop_token_ids")]);
            Record(sampler, line);
            Compare("sampling processors", name, line, sampler, Options(line));
        }
    }

    [Fact]
    public void Every_chain_gives_the_reference_distribution()
    {
        foreach (var (index, line) in Lines("chains.jsonl").Index())
        {
            Compare("sampling chains", $"chain/{index}", line, Chain(line, Options(line)), Options(line));
        }
    }

    [Fact]
    public void Every_draw_picks_the_reference_token()
    {
        foreach (var (index, line) in Lines("chains.jsonl").Index())
        {
            foreach (var (number, draw) in line.GetProperty("draws").EnumerateArray().Index())
            {
                var seed = ulong.Parse(draw.GetProperty("seed").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
                var uniform = Philox.Uniform(seed, draw.GetProperty("index").GetUInt64(), draw.GetProperty("choice").GetUInt32());
                Assert.Equal(draw.GetProperty("u").GetDouble(), uniform);
                if (draw.GetProperty("distance_to_border").GetDouble() <= 1e-12)
                {
                    ParityLog.Skip("sampling draws", $"{index}/{number}", "on the border between two tokens");
                    continue;
                }

                var sampler = Chain(line, Options(line));
                var token = Options(line).IsGreedy ? sampler.Next(Row(line)) : sampler.Filter(Row(line)).Draw(uniform);
                Assert.True(ParityLog.IsEqual("sampling draws", $"{index}/{number}", draw.GetProperty("token").GetInt32() == token), $"draw {index}/{number}: {token}");
            }
        }
    }

    [Fact]
    public void Every_chain_reports_the_reference_logprob_of_the_best_token()
    {
        foreach (var (index, line) in Lines("chains.jsonl").Index())
        {
            var expected = line.GetProperty("raw_logprob_of_best");
            var report = TokenReport.Of(Row(line), expected[0].GetInt32(), 1, []);
            Assert.Equal(expected[0].GetInt32(), report.Alternatives.Single().TokenId);
            Assert.Equal(report.Chosen, report.Alternatives.Single());
            var error = Math.Abs(report.Chosen.Logprob - expected[1].GetDouble()) / Math.Max(1, Math.Abs(expected[1].GetDouble()));
            Assert.True(ParityLog.IsWithin("sampling logprobs", $"{index}", error, Tolerance), $"line {index}: {error}");
        }
    }

    private static void Compare(string family, string name, JsonElement line, Sampler sampler, SamplingOptions options)
    {
        // A sum within rounding of p may end on either side.
        if (line.TryGetProperty("distance_to_cut", out var distance) && distance.GetDouble() < 1e-12)
        {
            ParityLog.Skip(family, name, "the cut is within rounding");
            return;
        }

        var expected = line.GetProperty("expected");
        var ids = expected.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32()).ToArray();
        if (options.IsGreedy)
        {
            Assert.True(ParityLog.IsWithin(family, name, ids.Single() == sampler.Next(Row(line)) ? 0 : 1, Tolerance), $"{name}: another token is the best");
            return;
        }

        var kept = sampler.Filter(Row(line));
        Assert.Equal((expected.GetProperty("kept").GetInt32(), expected.GetProperty("sum_of_kept_ids").GetInt32()), (kept.Count, kept.Ids.ToArray().Sum()));
        var (keptIds, logits) = (kept.Ids.ToArray(), kept.Logits.ToArray());
        var best = logits.Max();
        var total = Math.Log(logits.Order().Sum(l => Math.Exp(l - best)));
        var error = ids.Zip(expected.GetProperty("logprobs").EnumerateArray().Select(l => l.GetDouble()), (id, logprob) =>
            Math.Abs(logits[Array.IndexOf(keptIds, id)] - best - total - logprob) / Math.Max(1, Math.Abs(logprob))).Max();
        Assert.True(ParityLog.IsWithin(family, name, error, Tolerance), $"{name}: {error}");
    }

    private static Sampler Chain(JsonElement line, SamplingOptions options)
    {
        var sampler = new Sampler(options, Ids(line, "prompt_ids"), [.. Ids(line, "eos_ids"), .. Ids(line, "stop_token_ids")]);
        Record(sampler, line);
        return sampler;
    }

    private static void Record(Sampler sampler, JsonElement line)
    {
        var generated = line.TryGetProperty("generated", out var count) ? Enumerable.Repeat(0, count.GetInt32()) : Ids(line, "generated_ids");
        foreach (var id in generated)
        {
            sampler.Record(id);
        }
    }

    private static SamplingOptions Options(JsonElement line)
    {
        return new()
        {
            Temperature = Number("temperature", 1),
            TopK = (int)Number("top_k", 0),
            TopP = Number("top_p", 1),
            MinP = Number("min_p", 0),
            RepetitionPenalty = Number("repetition_penalty", 1),
            FrequencyPenalty = Number("frequency_penalty", 0),
            PresencePenalty = Number("presence_penalty", 0),
            MinTokens = (int)Number("min_tokens", 0),
            LogitBias = line.TryGetProperty("logit_bias", out var bias)
                ? bias.EnumerateObject().ToDictionary(b => int.Parse(b.Name, System.Globalization.CultureInfo.InvariantCulture), b => b.Value.GetDouble())
                : new(),
            AllowedTokenIds = Ids(line, "allowed_token_ids"),
            BadWords = line.TryGetProperty("bad_words", out var words)
                ? [.. words.EnumerateArray().Select(w => w.EnumerateArray().Select(i => i.GetInt32()).ToArray())]
                : [],
        };

        double Number(string key, double absent) => line.TryGetProperty(key, out var value) ? value.GetDouble() : absent;
    }

    private static int[] Ids(JsonElement line, string key) =>
        line.TryGetProperty(key, out var ids) ? [.. ids.EnumerateArray().Select(i => i.GetInt32())] : [];

    private static IEnumerable<JsonElement> Lines(string file) => ReferenceOutputs.JsonLines("sampling", file);

    private static float[] Row(JsonElement line) => Rows.Value[line.GetProperty("row").GetInt32()];

    private static readonly Lazy<Dictionary<int, float[]>> Rows = new(() =>
        ReferenceOutputs.Json("sampling", "rows.json").GetProperty("rows").EnumerateArray().ToDictionary(
            row => row.GetProperty("row").GetInt32(),
            row => row.GetProperty("logits").EnumerateArray()
                .Select(l => l.ValueKind == JsonValueKind.String ? float.NegativeInfinity : l.GetSingle())
                .ToArray()));
}
