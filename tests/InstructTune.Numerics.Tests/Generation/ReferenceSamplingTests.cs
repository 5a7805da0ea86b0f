using System.Text.Json;
using InstructTune.Modeling.Generation;
using InstructTune.Numerics.Tests.Training;

namespace InstructTune.Numerics.Tests.Generation;

/// <summary>Against distributions of transformers and numpy in double precision. Lines that use what the API does not offer are left out.</summary>
public sealed class ReferenceSamplingTests
{
    private const double Tolerance = 1e-12;

    private static readonly string[] NotOffered = ["logit_bias", "bad_words", "allowed_token_ids", "typical_p"];

    [Fact]
    public void Every_single_processor_gives_the_reference_distribution()
    {
        var compared = Lines("single.jsonl").Count(line =>
        {
            var options = Options(line);
            var sampler = new Sampler(options, Ids(line, "ids"), [.. Ids(line, "eos_ids"), .. Ids(line, "stop_token_ids")]);
            Record(sampler, line);
            return Compare(line, sampler, options);
        });
        Assert.True(compared > 500, $"only {compared} lines were compared");
    }

    [Fact]
    public void Every_chain_gives_the_reference_distribution()
    {
        var compared = Lines("chains.jsonl").Count(line => Compare(line, Chain(line, Options(line)), Options(line)));
        Assert.True(compared > 50, $"only {compared} lines were compared");
    }

    [Fact]
    public void Every_draw_picks_the_reference_token()
    {
        var compared = 0;
        foreach (var line in Lines("chains.jsonl"))
        {
            foreach (var draw in line.GetProperty("draws").EnumerateArray())
            {
                var seed = ulong.Parse(draw.GetProperty("seed").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
                var uniform = Philox.Uniform(seed, draw.GetProperty("index").GetUInt64(), draw.GetProperty("choice").GetUInt32());
                Assert.Equal(draw.GetProperty("u").GetDouble(), uniform);
                if (draw.GetProperty("distance_to_border").GetDouble() > 1e-9 && !Options(line).IsGreedy)
                {
                    Assert.Equal(draw.GetProperty("token").GetInt32(), Chain(line, Options(line)).Rank(Row(line)).Draw(uniform));
                    compared++;
                }
            }
        }

        Assert.True(compared > 100, $"only {compared} draws were compared");
    }

    private static bool Compare(JsonElement line, Sampler sampler, SamplingOptions options)
    {
        // A sum within rounding of p may end on either side.
        if (line.TryGetProperty("distance_to_cut", out var distance) && distance.GetDouble() < 1e-12)
        {
            return false;
        }

        var expected = line.GetProperty("expected");
        var ids = expected.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32()).ToArray();
        if (options.IsGreedy)
        {
            Assert.Equal(Assert.Single(ids), sampler.Next(Row(line)));
            return true;
        }

        var ranked = sampler.Rank(Row(line));
        Assert.Equal(expected.GetProperty("kept").GetInt32(), ranked.Count);
        Assert.Equal(expected.GetProperty("sum_of_kept_ids").GetInt32(), ranked.Ids.ToArray().Sum());
        var total = ranked.Logits.ToArray().Sum(l => Math.Exp(l - ranked.Logits[0]));
        foreach (var (id, logprob) in ids.Zip(expected.GetProperty("logprobs").EnumerateArray().Select(l => l.GetDouble())))
        {
            var actual = ranked.Logits[ranked.Ids.IndexOf(id)] - ranked.Logits[0] - Math.Log(total);
            Assert.Equal(logprob, actual, Tolerance * Math.Max(1, Math.Abs(logprob)));
        }

        return true;
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
        };

        double Number(string key, double absent) => line.TryGetProperty(key, out var value) ? value.GetDouble() : absent;
    }

    private static int[] Ids(JsonElement line, string key) =>
        line.TryGetProperty(key, out var ids) ? [.. ids.EnumerateArray().Select(i => i.GetInt32())] : [];

    private static IEnumerable<JsonElement> Lines(string file) => ReferenceOutputs.JsonLines("sampling", file).Where(line =>
        NotOffered.All(key => !line.TryGetProperty(key, out var value)
            || (value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any())));

    private static float[] Row(JsonElement line) => Rows.Value[line.GetProperty("row").GetInt32()];

    private static readonly Lazy<Dictionary<int, float[]>> Rows = new(() =>
        ReferenceOutputs.Json("sampling", "rows.json").GetProperty("rows").EnumerateArray().ToDictionary(
            row => row.GetProperty("row").GetInt32(),
            row => row.GetProperty("logits").EnumerateArray()
                .Select(l => l.ValueKind == JsonValueKind.String ? float.NegativeInfinity : l.GetSingle())
                .ToArray()));
}
