using InstructTune.Inference.Models;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Inference.Api;

internal static class ServedModels
{
    public static V1.ListServedModelsResponse ToResponse(IEnumerable<ResidentSnapshot> residents)
    {
        var response = new V1.ListServedModelsResponse();
        response.ServedModels.AddRange(residents.Select(ToServed));
        return response;
    }

    public static V1.ServedModel ToServed(ResidentSnapshot resident)
    {
        var served = new V1.ServedModel
        {
            ModelVersion = resident.Name,
            DeviceBytes = resident.SizeBytes,
            RunningCount = resident.Users,
            Pinned = resident.IsPinned,
        };
        served.Numerics.Add(NumericsFingerprint.Current().ToDictionary(StringComparer.Ordinal));
        return served;
    }
}
