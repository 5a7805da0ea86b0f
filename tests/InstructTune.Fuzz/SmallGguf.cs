using InstructTune.Fuzz.Targets;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Fuzz;

/// <summary>Small GGUF files that are sound: one layer, a vocabulary of a few letters.</summary>
internal static class SmallGguf
{
    public static byte[] Make(string architecture, GgufTensorType type, int width, bool sentencePiece = false)
    {
        var config = ModelConfigTarget.Small() with
        {
            Family = architecture switch { "qwen2" => ModelFamily.Qwen2, "qwen3" => ModelFamily.Qwen3, _ => ModelFamily.Llama },
            ModelWidth = width,
            FeedForwardWidth = width,
            HeadWidth = 8,
            LayerCount = 1,
            TiedEmbeddings = true,
            QueryKeyValueBias = architecture == "qwen2",
        };
        using var writer = new GgufWriter();
        GgufModelMetadata.Write(writer, config, type, "small");
        WriteVocabulary(writer, config.VocabularySize, sentencePiece);
        var folder = Directory.CreateTempSubdirectory("small-gguf-").FullName;
        try
        {
            var path = Path.Combine(folder, "small.gguf");
            writer.Write(path, [.. GgufExport.Ordered(config).Select(w => Source(w, type))]);
            return File.ReadAllBytes(path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Zeros are a sound block of every type.
    private static GgufSource Source(PlannedWeight weight, GgufTensorType type)
    {
        var isMatrix = weight.Shape.Count > 1 && weight.Shape[^1] % GgufTensorTypes.BlockElements(type) == 0;
        var source = new GgufSource(GgufNames.OfHuggingFace(weight.Name), isMatrix ? type : GgufTensorType.F32, weight.Shape, _ => { });
        return source with { WriteTo = stream => stream.Write(new byte[source.SizeBytes]) };
    }

    private static void WriteVocabulary(GgufWriter writer, int size, bool sentencePiece)
    {
        string[] tokens = ["<s>", "</s>", .. Enumerable.Range(0, size - 3).Select(i => ((char)('a' + i)).ToString()), "ab"];
        int[] kinds = [3, 3, .. Enumerable.Repeat(1, size - 2)];
        writer.Add("tokenizer.ggml.model", sentencePiece ? "llama" : "gpt2");
        if (sentencePiece)
        {
            writer.Add("tokenizer.ggml.scores", [.. Enumerable.Range(0, size).Select(i => (float)-i)]);
        }
        else
        {
            writer.Add("tokenizer.ggml.pre", "smollm");
            writer.Add("tokenizer.ggml.merges", ["a b"]);
        }

        writer.Add("tokenizer.ggml.tokens", tokens);
        writer.Add("tokenizer.ggml.token_type", kinds);
        writer.Add("tokenizer.ggml.bos_token_id", 0);
        writer.Add("tokenizer.ggml.eos_token_id", 1);
        writer.Add("tokenizer.ggml.add_bos_token", true);
    }
}
