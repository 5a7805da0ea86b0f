using InstructTune.Inference.Models;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Inference.Api;

internal static class ServedModels
{
    public static V1.ListServedModelsResponse ToResponse(IEnumerable<ResidentSnapshot> residents)
    {
        var numerics = NumericsFingerprint.Current();
        var response = new V1.ListServedModelsResponse();
        foreach (var resident in residents)
        {
            var served = new V1.ServedModel
            {
                ModelVersion = resident.Name,
                DeviceBytes = resident.SizeBytes,
                RunningCount = resident.Users,
            };
            served.Numerics.Add(numerics.ToDictionary(StringComparer.Ordinal));
            response.ServedModels.Add(served);
        }
        return response;
    }
}
