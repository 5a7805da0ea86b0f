namespace InstructTune.Dataset;

public static class DatasetModule
{
    public static void AddDataset(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
    }

    public static void MapDataset(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
    }
}
