namespace InstructTune.Cli.Demo;

/// <summary>Where the base model of the demonstration is: INSTRUCTTUNE_MODELS, else a <c>models</c> folder above this program.</summary>
internal static class DemoBase
{
    public const string Variable = "INSTRUCTTUNE_MODELS";
    private const string Name = "world-base";

    public static string Find()
    {
        var named = Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(named))
        {
            return Path.Combine(named, Name);
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "models", Name);
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return Path.Combine(AppContext.BaseDirectory, "models", Name);
    }
}
