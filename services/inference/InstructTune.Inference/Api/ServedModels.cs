using InstructTune.Inference.Models;
using InstructTune.Modeling.Serving;

namespace InstructTune.Inference.Api;

/// <summary>Versions in memory as messages.</summary>
internal sealed class ServedModels(ServingNumerics numerics)
{
    public V1.ListServedModelsResponse ToResponse(IEnumerable<ResidentSnapshot> residents)
    {
        var response = new V1.ListServedModelsResponse();
        response.ServedModels.AddRange(residents.Select(ToServed));
        return response;
    }

    public V1.ServedModel ToServed(ResidentSnapshot resident)
    {
        var served = new V1.ServedModel
        {
            ModelVersion = resident.Name,
            DeviceBytes = resident.SizeBytes,
            RunningCount = resident.Users,
            Pinned = resident.IsPinned,
            WeightFormat = WeightForms.ToFormat(resident.Form),
            Parity = resident.Parity is { } parity ? ToParity(parity) : null,
        };
        served.Numerics.Add(numerics.FactsOf(resident.Form).ToDictionary(StringComparer.Ordinal));
        return served;
    }

    private static V1.WeightParity ToParity(ParityCertificate parity) => new()
    {
        TokenCount = parity.Tokens,
        MaxLogitDifference = parity.LargestLogitGap,
        TokenAgreement = parity.TokenAgreement,
        Float32Loss = parity.LossFloat32,
        LossDifference = parity.LossGap,
    };
}
