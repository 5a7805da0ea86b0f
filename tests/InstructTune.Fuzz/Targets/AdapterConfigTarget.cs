using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Weights;

namespace InstructTune.Fuzz.Targets;

/// <summary>adapter_config.json, and what it means on a model.</summary>
internal sealed class AdapterConfigTarget : FuzzTarget
{
    public override string Name => "adapter-config";

    public override IReadOnlyList<byte[]> Words { get; } = s_words;

    public override IReadOnlyList<byte[]> Seeds() =>
    [
        LoraConfigWriter.Write(new LoraConfig()),
        LoraConfigWriter.Write(new LoraConfig { TargetModules = LoraConfig.AllLinear, RankPattern = [new("q_proj", 2)], AlphaPattern = [new("v_proj", 3)], UseRsLora = true }),
        LoraConfigWriter.Write(new LoraConfig { TargetModules = [], TargetPattern = @".*\.(q|v)_proj", UseDora = true, SavedModules = ["lm_head"] }),
        Bytes.Text("""{"peft_type":"LORA","r":4,"lora_alpha":8,"target_modules":["q_proj"],"layers_to_transform":[0],"layers_pattern":"layers","bias":"lora_only","init_lora_weights":"gaussian","trainable_token_indices":{"embed_tokens":[1,2]}}"""),
    ];

    private static readonly byte[][] s_words =
    [
        .. new[]
        {
            "\"target_modules\":", "\"(a+)+$\"", "\"(?=(.*a){9})\"", "\"rank_pattern\":{", "\"[\"", "\"r\":2147483647", "\"lora_alpha\":1e-300", "null", "\\ud800", "\"all-linear\"", "[]", "{}",
            "\"exclude_modules\":[", "\"layers_to_transform\":[-1]", "\"modules_to_save\":[\"embed_tokens\"]",
        }.Select(Bytes.Text),
    ];

    public override long AllocationLimitBytes(int inputSizeBytes) => 2_000_000 + (256L * inputSizeBytes);

    public override void Run(byte[] input)
    {
        var config = LoraConfigReader.Read(input, static _ => { });
        var plan = AdapterPlan.Of(ModelConfigTarget.Small(), config);
        if (plan.Count == 0 || plan.Any(p => p.Shape.Any(d => d < 1)))
        {
            throw new InvariantException("The plan of the adapter has tensors without elements.");
        }
    }

    public override bool IsRefusal(Exception exception) => exception is ModelFormatException;
}
