namespace InstructTune.Fuzz;

/// <summary>A folder for code that writes sound files; gone afterwards.</summary>
internal sealed class SeedFolder : IDisposable
{
    public string Location { get; } = Directory.CreateTempSubdirectory("instructtune-fuzz-seed-").FullName;

    public void Dispose() => Directory.Delete(Location, recursive: true);
}
