using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>Adapters as folders of PEFT: adapter_config.json and adapter_model.safetensors.</summary>
public static class PeftAdapter
{
    private const string ConfigName = "adapter_config.json";
    private const string WeightsName = "adapter_model.safetensors";

    /// <summary>The files of an adapter's folder.</summary>
    public static IReadOnlyList<string> FileNames { get; } = [ConfigName, WeightsName];

    /// <summary>Reads adapter_config.json only.</summary>
    /// <exception cref="ModelFormatException">It is missing, malformed or asks for what is not supported.</exception>
    public static LoraConfig ReadConfig(string folder, Action<string>? warn = null)
    {
        var path = Path.Combine(folder, ConfigName);
        return File.Exists(path)
            ? LoraConfigReader.Read(File.ReadAllBytes(path), warn ?? (static _ => { }))
            : throw new ModelFormatException(ConfigName, "", "the file is missing");
    }

    /// <summary>Reads an adapter in float32, frozen, and checks it against its base.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="model">Configuration of the base model.</param>
    /// <param name="warn">Told about oddities that do not stop the load; silent when null.</param>
    /// <exception cref="ModelFormatException">A key is missing, unexpected or mis-shaped, or a value is not finite.</exception>
    public static LoraAdapter Read(string folder, LlamaConfig model, Action<string>? warn = null)
    {
        warn ??= static _ => { };
        var config = ReadConfig(folder, warn);
        var plan = AdapterPlan.Of(model, config);
        WarnOfUnmatched(model, config, warn);
        using var file = OpenWeights(folder);
        AdapterFileCheck.RefuseMismatch(file, plan, config, model);
        using var frozen = no_grad();
        var tensors = new List<(PlannedTensor, Tensor)>();
        foreach (var planned in plan.Where(p => file.Find(p.Key) is not null))
        {
            tensors.Add((planned, file.ReadFloat32(planned.Key)));
        }

        var adapter = new LoraAdapter(config, tensors);
        if (!adapter.HasEffect())
        {
            WarnOfNoEffect(warn);
        }

        return adapter;
    }

    /// <summary>Writes an adapter as PEFT does, float32, into a folder that has neither file yet.</summary>
    /// <param name="folder">The folder; made when absent.</param>
    /// <param name="adapter">The adapter.</param>
    public static void Write(string folder, LoraAdapter adapter)
    {
        Directory.CreateDirectory(folder);
        using (var stream = new FileStream(Path.Combine(folder, ConfigName), FileMode.CreateNew, FileAccess.Write))
        {
            stream.Write(LoraConfigWriter.Write(adapter.Config));
            stream.Flush(flushToDisk: true);
        }

        SafetensorsWriter.Write(Path.Combine(folder, WeightsName), adapter.Tensors);
    }

    /// <summary>Deletes the files of an adapter, so that another can be written in their place.</summary>
    public static void Delete(string folder)
    {
        File.Delete(Path.Combine(folder, ConfigName));
        File.Delete(Path.Combine(folder, WeightsName));
    }

    internal static void WarnOfUnmatched(LlamaConfig model, LoraConfig config, Action<string> warn)
    {
        foreach (var target in AdapterPlan.UnmatchedTargets(model, config))
        {
            warn($"{ConfigName}: target_modules: {target} matches no module of the base model");
        }
    }

    internal static void WarnOfNoEffect(Action<string> warn) => warn($"{WeightsName}: every B is zero, so the adapter changes no logit");

    internal static SafetensorsReader OpenWeights(string folder)
    {
        const string pickle = "adapter_model.bin";
        var path = Path.Combine(folder, WeightsName);
        if (!File.Exists(path) && File.Exists(Path.Combine(folder, pickle)))
        {
            throw new ModelFormatException(pickle, "", "is a pickle and is refused; only safetensors is read. Convert it with its own program first");
        }

        return SafetensorsReader.Open(path);
    }
}
