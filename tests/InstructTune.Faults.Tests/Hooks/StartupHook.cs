using InstructTune.Faults.Tests.Hooks;
using InstructTune.Storage;

/// <summary>
/// Runs in a child process before its own Main, because the test names this assembly in DOTNET_STARTUP_HOOKS. The name and the lack of a namespace are .NET's.
/// The product has no code that sets a handler: what follows exists in processes of these tests only.
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(FaultPlan.Variable) is { } text)
        {
            FailPoint.Handler = FaultPlan.Parse(text).Hit;
        }
    }
}
