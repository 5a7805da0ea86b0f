using System.Security.Cryptography;
using System.Text;
using InstructTune.Modeling.Numerics;
using InstructTune.Storage;
using Microsoft.Extensions.Options;

namespace InstructTune.Trainer.Estimation;

/// <summary>What stages took on this machine, by kind, over what their work takes at <see cref="StageWork.Reference"/>. The last one counts.</summary>
internal sealed class MeasuredSpeeds(IDocumentStore documents, IOptions<TorchOptions> torch)
{
    private const string Collection = "measured-speeds";

    /// <summary>Null where no stage of the kind ran here.</summary>
    public double? FactorOf(string kind) => documents.Find<MeasuredSpeed>(Collection, IdOf(kind)) is { } document ? document.Content.Seconds / document.Content.ReferenceSeconds : null;

    public void Record(string kind, double seconds, double referenceSeconds) =>
        documents.Put(Collection, IdOf(kind), new MeasuredSpeed(Here(kind), seconds, referenceSeconds));

    private string IdOf(string kind) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Here(kind))))[..32];

    // Storage may be shared by machines.
    private string Here(string kind) => FormattableString.Invariant(
        $"{Environment.MachineName} {(torch.Value.Threads > 0 ? torch.Value.Threads : Environment.ProcessorCount)} {ComputeDevice.Processor}; {kind}");
}

/// <param name="Kind">Of the stage, and where it ran.</param>
/// <param name="Seconds">What its steps took.</param>
/// <param name="ReferenceSeconds">What their work takes at the reference speed.</param>
internal sealed record MeasuredSpeed(string Kind, double Seconds, double ReferenceSeconds);
