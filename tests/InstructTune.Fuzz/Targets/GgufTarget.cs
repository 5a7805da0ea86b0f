using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Weights;

namespace InstructTune.Fuzz.Targets;

/// <summary>A GGUF file as it is imported: header, configuration, tensors, tokenizer, and every number dequantised.</summary>
internal sealed class GgufTarget : FuzzTarget
{
    private readonly ScratchFile _file = new("model.gguf");

    public override string Name => "gguf";

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. new[]
        {
            "general.alignment", "general.architecture", "qwen2", "qwen3", "llama.block_count", "llama.attention.head_count", "llama.rope.scaling.type", "yarn", "linear",
            "tokenizer.ggml.tokens", "tokenizer.ggml.model", "tokenizer.ggml.eos_token_id", "blk.0.attn_q.weight", "rope_freqs.weight", "output.weight", "llama-bpe",
        }.Select(Bytes.Text),
        [9, 0, 0, 0, 9, 0, 0, 0], [8, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127], [0, 0, 0, 0, 0, 0, 0, 128], [0xFF, 0xFE], "GGUF"u8.ToArray(),
    ];

    public override IReadOnlyList<byte[]> Seeds() =>
    [
        SmallGguf.Make("llama", GgufTensorType.F32, 32),
        SmallGguf.Make("llama", GgufTensorType.Q4_0, 32),
        SmallGguf.Make("qwen2", GgufTensorType.Q5_1, 32),
        SmallGguf.Make("qwen3", GgufTensorType.BF16, 32),
        SmallGguf.Make("llama", GgufTensorType.Q3_K, 256),
        SmallGguf.Make("llama", GgufTensorType.Q6_K, 256, sentencePiece: true),
    ];

    public override long AllocationLimitBytes(int inputSizeBytes) => 8_000_000 + (64L * inputSizeBytes);

    public override void Run(byte[] input)
    {
        using var reader = GgufReader.Open(_file.Put(input));
        foreach (var tensor in reader.Tensors)
        {
            if (tensor.OffsetBytes < 0 || tensor.OffsetBytes + tensor.SizeBytes > input.Length)
            {
                throw new InvariantException($"{tensor.Name} lies outside the file.");
            }
        }

        GgufImport.Check(reader);
        foreach (var tensor in reader.Tensors)
        {
            reader.ReadRows(tensor, 0, new float[tensor.Elements]);
        }
    }

    public override bool IsRefusal(Exception exception) => exception is ModelFormatException;
}
