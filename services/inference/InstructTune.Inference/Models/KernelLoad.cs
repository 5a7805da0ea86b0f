using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Models;

/// <summary>Full weights into the matrices of our kernels, with the certificate where they have one.</summary>
internal sealed class KernelLoad(QuantizedWeights quantized, ParityLedger parity)
{
    public async Task<(KernelLlama Model, ParityCertificate? Parity)> RunAsync(BaseFiles files, Tokenizer tokenizer)
    {
        if (files.Form == WeightForm.Int8 || files.Form == WeightForm.Int4)
        {
            return await quantized.LoadAsync(files, tokenizer);
        }
        var format = files.Form.Kernel!.Value;
        var model = files.StoredPath is { } stored ? KernelModelFolder.LoadGguf(stored, format) : KernelModelFolder.Load(files.Folder.Path, format);
        try
        {
            return (model, files.IsExact ? null : parity.Measure(files, model, tokenizer));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
