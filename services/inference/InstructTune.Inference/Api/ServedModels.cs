using InstructTune.Inference.Models;

namespace InstructTune.Inference.Api;

internal static class ServedModels
{
    public static V1.ListServedModelsResponse ToResponse(IEnumerable<ResidentSnapshot> residents, IReadOnlyDictionary<string, string> numerics)
    {
        var response = new V1.ListServedModelsResponse();
        response.ServedModels.AddRange(residents.Select(resident => ToServed(resident, numerics)));
        return response;
    }

    public static V1.ServedModel ToServed(ResidentSnapshot resident, IReadOnlyDictionary<string, string> numerics)
    {
        var served = new V1.ServedModel
        {
            ModelVersion = resident.Name,
            DeviceBytes = resident.SizeBytes,
            RunningCount = resident.Users,
            Pinned = resident.IsPinned,
        };
        served.Numerics.Add(numerics.ToDictionary(StringComparer.Ordinal));
        if (resident.Parity is { } parity)
        {
            served.Numerics.Add(parity.Facts().ToDictionary(StringComparer.Ordinal));
        }

        return served;
    }
}
