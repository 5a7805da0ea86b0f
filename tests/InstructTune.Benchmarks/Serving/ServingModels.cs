using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Benchmarks.Serving;

/// <summary>The models of the benchmark as GGUF files, with adapters for both programs; made once and kept.</summary>
internal sealed class ServingModels(string root, string smolLm)
{
    public const int Adapters = 8;
    private const int AdapterRank = 16;

    /// <summary>The file of a model, made when it is not there yet.</summary>
    public string File(ServingModel model)
    {
        if (model == ServingModel.SmolLmQ41)
        {
            return Path.Combine(smolLm, "SmolLM2-135M-Instruct.Q4_1.gguf");
        }

        var folder = Path.Combine(root, model.Size);
        if (!System.IO.File.Exists(Path.Combine(folder, "ready")))
        {
            Console.WriteLine($"Making the models of {model.Size} ...");
            Make(model.Size, folder);
        }

        return Path.Combine(folder, $"{model.Type}.gguf");
    }

    public string AdapterGguf(string size, int index) => Path.Combine(root, size, $"adapter-{index}.gguf");

    public string AdapterFolder(string size, int index) => Path.Combine(root, size, $"adapter-{index}");

    /// <summary>The folder with a tokenizer for real prompts.</summary>
    public string Tokenizer => Path.Combine(root, ServingModel.SmolLm, "model");

    private void Make(string size, string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(folder);
        var source = Path.Combine(folder, "model");
        if (size == ServingModel.SmolLm)
        {
            GgufImport.ToFolder(System.IO.Path.Combine(smolLm, "SmolLM2-135M-Instruct.Q4_1.gguf"), source);
            using var model = ModelFolder.Load(source);
            MakeAdapters(size, model);
        }
        else
        {
            using var model = LlamaModel.CreateRandom(KnownShapes.TinyLlama, StepSeed.Of(1, "bench-serving", 0, "weights"));
            MakeAdapters(size, model);
            HuggingFaceFolder.Write(source, model, storageType: "bfloat16");
            CopyTokenizer(source);
        }

        foreach (var type in ServingModel.TypesOf(size))
        {
            GgufExport.Write(Path.Combine(folder, $"{type}.gguf"), source, type, size);
        }

        foreach (var weights in Directory.GetFiles(source, "*.safetensors"))
        {
            System.IO.File.Delete(weights);
        }

        System.IO.File.Create(Path.Combine(folder, "ready")).Dispose();
    }

    /// <summary>Nobody encodes text for the random shape, but a GGUF file has a vocabulary: that of the base of this repository.</summary>
    private static void CopyTokenizer(string folder)
    {
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json"])
        {
            System.IO.File.Copy(Path.Combine("models", "world-base", name), Path.Combine(folder, name));
        }
    }

    private void MakeAdapters(string size, LlamaModel model)
    {
        var config = new LoraConfig { Rank = AdapterRank, Alpha = AdapterRank, TargetModules = LoraConfig.AllLinear };
        for (var index = 0; index < Adapters; index++)
        {
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            using var adapter = LoraAdapter.Create(model, config, StepSeed.Of(2, "bench-serving", index, "adapter"));
            foreach (var module in adapter.Modules.Values)
            {
                using var generator = StepSeed.Of(3, "bench-serving", index, module.Path).NewGenerator();
                module.B_OR.normal_(0, 0.02, generator);
            }

            PeftAdapter.Write(AdapterFolder(size, index), adapter);
            GgufAdapter.Write(AdapterGguf(size, index), adapter, model.Config, GgufTensorType.F16, $"adapter {index}");
        }
    }
}
