using InstructTune.Hosting;

namespace InstructTune.Inference.Api;

internal static class ModelNames
{
    public const string Pattern = "models/{model}/versions/{version}";

    public static void Check(string name, FieldViolations violations) =>
        violations.Check(ResourceName.TryParse(Pattern, name, out _), "model", $"must have the form '{Pattern}'");
}
