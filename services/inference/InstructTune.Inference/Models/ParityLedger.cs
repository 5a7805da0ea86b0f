using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Tokenization;
using InstructTune.Storage;

namespace InstructTune.Inference.Models;

/// <summary>Certificates of weights that are made, or read, anew at every load: each measured once, and kept beside the models.</summary>
internal sealed class ParityLedger(IDocumentStore documents, ParityMeter meter)
{
    public ParityCertificate? Measure(BaseFiles files, KernelLlama packed, Tokenizer tokenizer)
    {
        var collection = $"parity/{files.Form.Name}";
        if (documents.Find<ParityCertificate>(collection, files.Sha256) is { } known)
        {
            return known.Content;
        }
        var certificate = meter.Measure(files, packed, tokenizer);
        if (certificate is not null)
        {
            documents.Put(collection, files.Sha256, certificate);
        }
        return certificate;
    }
}
