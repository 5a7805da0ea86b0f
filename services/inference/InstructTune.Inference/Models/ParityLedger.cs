using InstructTune.Kernels;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Tokenization;
using InstructTune.Storage;

namespace InstructTune.Inference.Models;

/// <summary>
/// How far contents in fewer bits are from themselves in float32, each measured once, at its first load, and kept beside the models. Measuring holds
/// the model in float32 for as long as it takes; where that much memory is not there, there is no certificate.
/// </summary>
internal sealed partial class ParityLedger(IDocumentStore documents, ILogger<ParityLedger> logger)
{
    public ParityCertificate? Find(string sha256, string format) => documents.Find<ParityCertificate>($"parity/{format}", sha256)?.Content;

    public ParityCertificate? Measure(string sha256, string format, string folder, KernelLlama packed, Tokenizer tokenizer)
    {
        if (Find(sha256, format) is { } known)
        {
            return known;
        }
        var neededBytes = (long)(packed.WeightCount * WeightFormat.Float32.BytesPerWeight());
        var memory = GC.GetGCMemoryInfo();
        if (neededBytes > (memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes) * 3 / 4)
        {
            NotMeasured(sha256, format, neededBytes);
            return null;
        }
        using var float32 = KernelModelFolder.Load(folder, WeightFormat.Float32);
        int[][] texts = [.. ParityCertificate.Texts.Select(text => tokenizer.Encode(text, addSpecialTokens: true)).Where(ids => ids.Length > 1)
            .Select(ids => ids[..Math.Min(ids.Length, packed.Config.ContextTokens)])];
        var certificate = ParityCertificate.Measure(float32, packed, texts);
        documents.Put($"parity/{format}", sha256, certificate);
        Measured(sha256, format, certificate.LargestLogitGap, certificate.TokenAgreement, certificate.LossGap);
        return certificate;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Sha256} as {Format} beside float32: largest logit gap {LogitGap}, token agreement {TokenAgreement}, loss gap {LossGap}")]
    private partial void Measured(string sha256, string format, double logitGap, double tokenAgreement, double lossGap);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Sha256} as {Format} has no parity certificate: in float32 it needs {NeededBytes} bytes, which are not there")]
    private partial void NotMeasured(string sha256, string format, long neededBytes);
}
