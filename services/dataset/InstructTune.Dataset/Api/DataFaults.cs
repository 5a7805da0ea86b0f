using System.Globalization;
using InstructTune.Dataset.Derivation;
using InstructTune.Dataset.Import;
using InstructTune.Hosting;

namespace InstructTune.Dataset.Api;

/// <summary>Faults of the caller's data, as errors that say where.</summary>
internal static class DataFaults
{
    public static async Task<T> TranslateAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (SourceInvalidException e)
        {
            throw new DomainException(
                V1.ErrorReason.DataInvalid,
                e.Message + ".",
                ("file", e.FileName),
                ("position", e.Position.ToString(CultureInfo.InvariantCulture)),
                ("problem", e.Problem));
        }
        catch (EmptyPartException e)
        {
            throw new DomainException(
                V1.ErrorReason.DataInvalid,
                $"No example falls into the part {e.Part}; give it a larger fraction, or more data.",
                ("part", e.Part),
                ("problem", "empty part"));
        }
    }
}
