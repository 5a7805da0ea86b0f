using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Trainer.Publishing;

/// <summary>Reads an export back with our own reader and compares what it says with what the model says.</summary>
internal static class ExportParity
{
    /// <summary>A Hugging Face folder.</summary>
    /// <param name="folder">The export.</param>
    /// <param name="probe">The prompts.</param>
    /// <param name="reference">What the model says to them.</param>
    /// <param name="bound">What may differ.</param>
    /// <exception cref="ExportDisagreesException">It is another model.</exception>
    /// <exception cref="ModelFormatException">It cannot be read back.</exception>
    public static ParityFigures OfFolder(string folder, ParityProbe probe, IReadOnlyList<float[]> reference, ParityBound bound)
    {
        if (!probe.HasTokensOf(ParityProbe.For(folder)))
        {
            throw new ExportDisagreesException($"The tokenizer of the export {Path.GetFileName(folder)}, read back, gives other tokens than the model's. It was not published.");
        }

        using var model = ModelFolder.Load(folder);
        return Checked(ParityFigures.Of(reference, probe.Logits(model)), bound, Path.GetFileName(folder));
    }

    /// <summary>A GGUF file, by way of the folder that it is imported as.</summary>
    public static ParityFigures OfGguf(string path, string scratch, ParityProbe probe, IReadOnlyList<float[]> reference, ParityBound bound)
    {
        var folder = Path.Combine(scratch, "read-back");
        Directory.CreateDirectory(folder);
        try
        {
            GgufImport.ToFolder(path, folder);
            return OfFolder(folder, probe, reference, bound);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A PEFT folder over the full weights in another.</summary>
    public static ParityFigures OfAdapter(string folder, string baseFolder, ParityProbe probe, IReadOnlyList<float[]> reference)
    {
        using var model = ModelFolder.Load(baseFolder);
        using var adapter = PeftAdapter.Read(folder, model.Config);
        return Checked(ParityFigures.Of(reference, probe.Logits(model, adapter)), ParityBound.Exact, Path.GetFileName(folder));
    }

    /// <summary>A GGUF adapter over the full weights in memory.</summary>
    public static ParityFigures OfGgufAdapter(string path, LlamaModel model, ParityProbe probe, IReadOnlyList<float[]> reference, ParityBound bound)
    {
        using var adapter = GgufAdapterReader.Read(path, model.Config);
        return Checked(ParityFigures.Of(reference, probe.Logits(model, adapter)), bound, Path.GetFileName(path));
    }

    private static ParityFigures Checked(ParityFigures figures, ParityBound bound, string export)
    {
        bound.Require(figures, export);
        return figures;
    }
}
