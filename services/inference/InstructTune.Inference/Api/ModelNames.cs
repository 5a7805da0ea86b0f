using InstructTune.Hosting;

namespace InstructTune.Inference.Api;

internal static class ModelNames
{
    public const string Pattern = "models/{model}/versions/{version}";

    public static void Require(string name, string field)
    {
        FieldViolations violations = new();
        violations.Check(ResourceName.TryParse(Pattern, name, out _), field, $"must have the form '{Pattern}'");
        violations.ThrowIfAny();
    }

    public static void Check(string name, FieldViolations violations) =>
        violations.Check(ResourceName.TryParse(Pattern, name, out _), "model", $"must have the form '{Pattern}'");
}
