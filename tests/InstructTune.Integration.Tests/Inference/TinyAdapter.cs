using System.Text.Json;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using static TorchSharp.torch;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>A random LoRA adapter over <see cref="TinyModel"/>, as a PEFT folder, strong enough to change most tokens.</summary>
internal static class TinyAdapter
{
    private static readonly (string Module, int Inputs, int Outputs)[] _targets =
        [("self_attn.q_proj", 64, 64), ("self_attn.v_proj", 64, 32), ("mlp.down_proj", 128, 64)];

    public static void Write(string folder, ulong seed, int rank = 8, double spread = 0.3)
    {
        using var scope = NewDisposeScope();
        List<NamedTensor> tensors = [];
        for (var layer = 0; layer < 2; layer++)
        {
            foreach (var (module, inputs, outputs) in _targets)
            {
                var path = $"base_model.model.model.layers.{layer}.{module}";
                tensors.Add(Random($"{path}.lora_A.weight", seed, spread, rank, inputs));
                tensors.Add(Random($"{path}.lora_B.weight", seed, spread, outputs, rank));
            }
        }
        SafetensorsWriter.Write(Path.Combine(folder, "adapter_model.safetensors"), tensors);
        var config = new
        {
            peft_type = "LORA",
            task_type = "CAUSAL_LM",
            base_model_name_or_path = "tiny",
            r = rank,
            lora_alpha = 2 * rank,
            lora_dropout = 0.0,
            bias = "none",
            target_modules = _targets.Select(target => target.Module.Split('.')[1]),
        };
        AtomicFile.Write(Path.Combine(folder, "adapter_config.json"), JsonSerializer.SerializeToUtf8Bytes(config));
    }

    private static NamedTensor Random(string name, ulong seed, double spread, int rows, int columns)
    {
        using var generator = new StepSeed(seed).Derive(name).NewGenerator();
        return new NamedTensor(name, randn([rows, columns], ScalarType.Float32, generator: generator).mul_(spread));
    }
}
