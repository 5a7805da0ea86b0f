using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Weights;

namespace InstructTune.Fuzz.Targets;

/// <summary>A whole adapter: the configuration, a zero byte, and the safetensors file, compared with its base.</summary>
internal sealed class AdapterTarget : FuzzTarget
{
    private readonly ScratchFile _file = new("adapter_model.safetensors");

    public override string Name => "adapter";

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "lora_A", "lora_B", "[4,16]", "[16,4]", "\"r\":", "q_proj", "v_proj", "F16", "F32", "layers.1", ".base_layer.bias" }.Select(Bytes.Text)];

    public override IReadOnlyList<byte[]> Seeds() =>
        [Joined(new LoraConfig { Rank = 4 }), Joined(new LoraConfig { Rank = 2, TargetModules = ["down_proj"], UseDora = true })];

    public override long AllocationLimitBytes(int inputSizeBytes) => 2_000_000 + (256L * inputSizeBytes);

    public override void Run(byte[] input)
    {
        var cut = Math.Max(0, Array.IndexOf(input, (byte)0));
        var model = ModelConfigTarget.Small();
        var config = LoraConfigReader.Read(input.AsSpan(0, cut), static _ => { });
        var plan = AdapterPlan.Of(model, config);
        using var reader = SafetensorsReader.Open(_file.Put(input.AsSpan(Math.Min(input.Length, cut + 1))));
        AdapterFileCheck.RefuseMismatch(reader, plan, config, model);
        if (reader.Entries.Count > plan.Count)
        {
            throw new InvariantException("The file has more tensors than the plan.");
        }
    }

    public override bool IsRefusal(Exception exception) => exception is ModelFormatException;

    private static byte[] Joined(LoraConfig config)
    {
        var tensors = AdapterPlan.Of(ModelConfigTarget.Small(), config).Select(p => (p.Key, "F32", p.Shape)).ToArray();
        return [.. LoraConfigWriter.Write(config), 0, .. Bytes.Safetensors(tensors)];
    }
}
