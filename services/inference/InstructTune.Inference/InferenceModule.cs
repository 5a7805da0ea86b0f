namespace InstructTune.Inference;

public static class InferenceModule
{
    public static void AddInference(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
    }

    public static void MapInference(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
    }
}
