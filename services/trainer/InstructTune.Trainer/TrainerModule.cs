namespace InstructTune.Trainer;

public static class TrainerModule
{
    public static void AddTrainer(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
    }

    public static void MapTrainer(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
    }
}
