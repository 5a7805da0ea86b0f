using InstructTune.Modeling.Tokenization;

namespace InstructTune.Benchmarks.Text;

/// <summary>
/// Encoding and decoding on one core, beside Hugging Face's own library (Tokenizers.DotNet) in the same process and in turns:
/// <c>tokenizer FOLDER-OF-TOKENIZERS [DATA-FOLDER]</c>.
/// </summary>
internal static class TokenizerBenchmark
{
    private const int Rounds = 5;

    public static void Run(string[] args)
    {
        var texts = BenchmarkText.All(args.ElementAtOrDefault(1)).ToList();
        Console.WriteLine($"{"tokenizer",-12} {"text",-10} {"MB",6} {"encode MB/s",12} {"cold",7} {"peer",7} {"ratio",6} {"decode MB/s",12} {"peer",7} {"ratio",6} {"alloc/encode",13} {"of it ids",10} {"alloc/decode",13} {"of it text",11} {"ns/append",10} {"alloc",6}");
        foreach (var folder in Directory.EnumerateDirectories(args[0]).Where(f => File.Exists(Path.Combine(f, "tokenizer.json"))).Order(StringComparer.Ordinal))
        {
            using var peer = new Tokenizers.DotNet.Tokenizer(vocabPath: Path.Combine(folder, "tokenizer.json"));
            foreach (var text in texts)
            {
                Console.WriteLine(Line(folder, peer, text));
            }
        }
    }

    private static string Line(string folder, Tokenizers.DotNet.Tokenizer peer, BenchmarkText text)
    {
        var tokenizer = Tokenizer.Load(folder);
        var cold = Benchmarks.Rounds.Time(() => EncodeAll(tokenizer, text));
        var encode = Benchmarks.Rounds.Measure(Rounds, () => EncodeAll(tokenizer, text), () => EncodeAll(peer, text));
        int[][] ids = [.. text.Documents.Select(d => tokenizer.Encode(d))];
        uint[][] peerIds = [.. ids.Select(d => d.Select(i => (uint)i).ToArray())];
        var decode = Benchmarks.Rounds.Measure(Rounds, () => DecodeAll(tokenizer, ids), () => DecodeAll(peer, peerIds));
        var stream = new TextStream(tokenizer);
        int[] flat = [.. ids.SelectMany(i => i).Take(1_000_000)];
        var append = Benchmarks.Rounds.Measure(Rounds, () => Array.ForEach(flat, id => stream.Append(id)));
        var perEncode = Benchmarks.Rounds.AllocatedPerCall(ids.Length, i => tokenizer.Encode(text.Documents[i]));
        var perDecode = Benchmarks.Rounds.AllocatedPerCall(ids.Length, i => tokenizer.Decode(ids[i]));
        var perAppend = Benchmarks.Rounds.AllocatedPerCall(flat.Length, i => stream.Append(flat[i]));
        var megabytes = text.SizeBytes / 1e6;
        var (ours, theirs) = (megabytes / Median(encode[0]), megabytes / Median(encode[1]));
        var (oursBack, theirsBack) = (megabytes / Median(decode[0]), megabytes / Median(decode[1]));
        return $"{Path.GetFileName(folder),-12} {text.Name,-10} {megabytes,6:F1} {ours,12:F1} {megabytes / cold,7:F1} {theirs,7:F1} {ours / theirs,6:F1}"
            + $" {oursBack,12:F1} {theirsBack,7:F1} {oursBack / theirsBack,6:F1} {perEncode,13:F0} {ids.Average(i => 4.0 * i.Length),10:F0}"
            + $" {perDecode,13:F0} {text.Documents.Average(d => 2.0 * d.Length),11:F0} {Median(append[0]) / flat.Length * 1e9,10:F1} {perAppend,6:F1}";
    }

    private static double Median(double[] seconds) => Benchmarks.Rounds.Median(seconds);

    private static void EncodeAll(Tokenizer tokenizer, BenchmarkText text)
    {
        foreach (var document in text.Documents)
        {
            tokenizer.Encode(document);
        }
    }

    private static void EncodeAll(Tokenizers.DotNet.Tokenizer tokenizer, BenchmarkText text)
    {
        foreach (var document in text.Documents)
        {
            tokenizer.Encode(document);
        }
    }

    private static void DecodeAll(Tokenizer tokenizer, int[][] ids)
    {
        foreach (var document in ids)
        {
            tokenizer.Decode(document);
        }
    }

    private static void DecodeAll(Tokenizers.DotNet.Tokenizer tokenizer, uint[][] ids)
    {
        foreach (var document in ids)
        {
            tokenizer.Decode(document);
        }
    }
}
