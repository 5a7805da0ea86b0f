using InstructTune.Kernels;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Models;

/// <summary>
/// Compares weights in fewer bits with float32. That holds the model in float32 for as long as it takes; where so much memory is not there,
/// there is no certificate.
/// </summary>
internal sealed partial class ParityMeter(ILogger<ParityMeter> logger)
{
    public ParityCertificate? Measure(BaseFiles files, KernelLlama packed, Tokenizer tokenizer)
    {
        var neededBytes = (long)(packed.WeightCount * WeightFormat.Float32.BytesPerWeight());
        var memory = GC.GetGCMemoryInfo();
        if (neededBytes > (memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes) * 3 / 4)
        {
            NotMeasured(files.Sha256, files.Form.Name, neededBytes);
            return null;
        }
        using var float32 = KernelModelFolder.Load(files.Folder.Path, WeightFormat.Float32);
        int[][] texts = [.. ParityCertificate.Texts.Select(text => tokenizer.Encode(text, addSpecialTokens: true)).Where(ids => ids.Length > 1)
            .Select(ids => ids[..Math.Min(ids.Length, packed.Config.ContextTokens)])];
        var certificate = ParityCertificate.Measure(float32, packed, texts);
        Measured(files.Sha256, files.Form.Name, certificate.LargestLogitGap, certificate.TokenAgreement, certificate.LossGap);
        return certificate;
    }

    [LoggerMessage(6033, LogLevel.Information, "{Sha256} as {Format} beside float32: largest logit gap {LogitGap}, token agreement {TokenAgreement}, loss gap {LossGap}.")]
    private partial void Measured(string sha256, string format, double logitGap, double tokenAgreement, double lossGap);

    [LoggerMessage(6034, LogLevel.Warning, "{Sha256} as {Format} has no parity certificate: in float32 it needs {NeededBytes} bytes, which are not there.")]
    private partial void NotMeasured(string sha256, string format, long neededBytes);
}
