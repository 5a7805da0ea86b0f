using InstructTune.Kernels;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Serving;

/// <summary>Reads a Hugging Face model folder, or a GGUF file, into packed matrices, one tensor at a time and without libtorch.</summary>
public static class KernelModelFolder
{
    /// <summary>The GGUF file of a model folder, where it has one: the same weights as they were imported.</summary>
    public const string StoredName = "model.gguf";

    /// <summary>Whether a GGUF file holds blocks that are multiplied as they are.</summary>
    public static bool HasBlocks(string path)
    {
        using var reader = Gguf.GgufReader.Open(path);
        return reader.Tensors.Any(tensor => KernelGgufSource.BlocksOf(tensor.Type) is not null);
    }

    /// <summary>Why this model cannot be served by the kernels; null when it can.</summary>
    public static string? Obstacle(LlamaConfig config) =>
        config.Rotary.Kind == RotaryKind.Dynamic ? "rope_scaling of type dynamic, whose angles change as a sequence grows" : null;

    /// <summary>Loads the model.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="format">Of the matrices of linear layers, embedding and head.</param>
    /// <exception cref="ModelFormatException">A file, key or tensor is missing, malformed or not supported.</exception>
    public static KernelLlama Load(string folder, WeightFormat format)
    {
        var config = ReadConfig(folder);
        var files = WeightFiles.Open(folder, static _ => { });
        using var source = new KernelFolderSource(files, config, format);
        ModelFolder.RefuseOtherWeights(files, config);
        return source.Build();
    }

    /// <summary>
    /// Writes the weights of a folder in int8 or int4 codes, as blocks of Q8_0 or Q4_0 in a GGUF file. <see cref="LoadQuantized"/> gives the matrices
    /// that <see cref="Load"/> gives, to the bit, and reads a quarter or an eighth of the bytes.
    /// </summary>
    /// <param name="path">Where; the file must not exist yet.</param>
    /// <param name="folder">The model.</param>
    /// <param name="format">Int8 or Int4.</param>
    /// <exception cref="ModelFormatException">The folder is broken, or holds what the scale of a block cannot.</exception>
    public static void WriteQuantized(string path, string folder, WeightFormat format)
    {
        var type = format switch
        {
            WeightFormat.Int8 => Gguf.GgufTensorType.Q8_0,
            WeightFormat.Int4 => Gguf.GgufTensorType.Q4_0,
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "no format of codes"),
        };
        _ = ReadConfig(folder);
        Gguf.GgufExport.WriteWeights(path, folder, type);
    }

    /// <summary>Loads what <see cref="WriteQuantized"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <param name="folder">The model that it was written from, for its configuration.</param>
    /// <param name="format">The format that it was written in.</param>
    /// <exception cref="ModelFormatException">The file is broken.</exception>
    public static KernelLlama LoadQuantized(string path, string folder, WeightFormat format)
    {
        using var source = KernelGgufSource.Open(path, format, ReadConfig(folder));
        return source.Build();
    }

    /// <summary>Loads a GGUF file with its blocks of Q8_0, Q4_0 and Q4_1 as they are: what they stand for stays the same to the last bit.</summary>
    /// <param name="path">The file.</param>
    /// <param name="others">For matrices that are stored in another type.</param>
    /// <exception cref="ModelFormatException">The file is broken or holds what is not supported.</exception>
    public static KernelLlama LoadGguf(string path, WeightFormat others)
    {
        using var source = KernelGgufSource.Open(path, others);
        return Obstacle(source.Config) is { } obstacle
            ? throw new ModelFormatException(Path.GetFileName(path), "rope scaling", $"the serving kernels do not support {obstacle}")
            : source.Build();
    }

    private static LlamaConfig ReadConfig(string folder)
    {
        var config = ModelFolder.ReadConfig(folder);
        return Obstacle(config) is { } obstacle
            ? throw new ModelFormatException("config.json", "rope_scaling", $"the serving kernels do not support {obstacle}")
            : config;
    }
}
