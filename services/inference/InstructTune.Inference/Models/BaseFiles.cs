using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Serving;
using InstructTune.Storage;

namespace InstructTune.Inference.Models;

/// <summary>The files of full weights, and the form that they are to be served in.</summary>
internal sealed record BaseFiles(string Sha256, ArtifactFolder Folder, LlamaConfig Config, WeightForm Form)
{
    /// <summary>The GGUF file that is served as it is.</summary>
    public string? StoredPath { get; } =
        Form == WeightForm.Gguf && Path.Combine(Folder.Path, KernelModelFolder.StoredName) is var path && File.Exists(path) ? path : null;

    /// <summary>Whether the weights are float32's after all: a model without a GGUF file has nothing to serve as it is.</summary>
    public bool IsExact => !Form.IsRounded || (Form == WeightForm.Gguf && StoredPath is null);

    /// <summary>Weights take what their format takes, whatever the files hold.</summary>
    public long WeightBytes()
    {
        if (StoredPath is { } stored)
        {
            return new FileInfo(stored).Length;
        }
        var fileBytes = Folder.Manifest.Files
            .Where(file => file.Path.EndsWith(".safetensors", StringComparison.Ordinal))
            .Sum(file => file.SizeBytes);
        var weights = fileBytes / (Config.StorageType == "float32" ? sizeof(float) : sizeof(float) / 2);
        return (long)(weights * Form.BytesPerWeight);
    }
}
