namespace InstructTune.Evaluation;

public static class EvaluationModule
{
    public static void AddEvaluation(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
    }

    public static void MapEvaluation(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
    }
}
