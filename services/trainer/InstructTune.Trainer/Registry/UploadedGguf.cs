using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Weights;

namespace InstructTune.Trainer.Registry;

/// <summary>
/// An upload that is one GGUF file becomes the folder that training and serving read. A file with blocks that our kernels multiply as they are
/// stays beside it, for serving without a round trip through float32.
/// </summary>
internal static class UploadedGguf
{
    private const string Extension = ".gguf";

    /// <exception cref="ModelFormatException">The file is broken, not supported, or does not come alone.</exception>
    public static void Convert(string folder)
    {
        var files = Directory.GetFiles(folder);
        if (Array.Find(files, f => f.EndsWith(Extension, StringComparison.OrdinalIgnoreCase)) is not { } gguf)
        {
            return;
        }

        if (files.Length > 1)
        {
            throw new ModelFormatException(Path.GetFileName(gguf), "", "comes with other files; a GGUF file holds configuration and tokenizer itself: upload it alone");
        }

        GgufImport.ToFolder(gguf, folder);
        if (KernelModelFolder.HasBlocks(gguf))
        {
            File.Move(gguf, Path.Combine(folder, KernelModelFolder.StoredName));
        }
        else
        {
            File.Delete(gguf);
        }
    }
}
