using System.Reflection;

namespace InstructTune.Trainer.Publishing;

/// <summary>Which build of this program trained something.</summary>
internal static class CodeVersion
{
    public static string Current { get; } =
        typeof(CodeVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
