using InstructTune.Storage;

namespace InstructTune.Jobs;

/// <summary>The scripts beside this file, each with the shared functions before it.</summary>
internal sealed class JobScripts
{
    private static readonly string Shared = Read("shared");

    public LuaScript Create { get; } = Load("create");

    public LuaScript Acquire { get; } = Load("acquire");

    public LuaScript Renew { get; } = Load("renew");

    public LuaScript Report { get; } = Load("report");

    public LuaScript Complete { get; } = Load("complete");

    public LuaScript Release { get; } = Load("release");

    public LuaScript Cancel { get; } = Load("cancel");

    public LuaScript Resume { get; } = Load("resume");

    public LuaScript Reap { get; } = Load("reap");

    public LuaScript Ask { get; } = Load("ask");

    public LuaScript Ended { get; } = Load("ended");

    public LuaScript Archived { get; } = Load("archived");

    public LuaScript Missing { get; } = Load("missing");

    public LuaScript Restore { get; } = Load("restore");

    public LuaScript Delete { get; } = Load("delete");

    public LuaScript Stats { get; } = Load("stats");

    public LuaScript Get { get; } = Load("get");

    public LuaScript List { get; } = Load("list");

    public LuaScript ReadEvents { get; } = Load("read");

    private static LuaScript Load(string name) => new(name, Shared + "\n" + Read(name));

    private static string Read(string name)
    {
        var resource = $"{typeof(JobScripts).Namespace}.Scripts.{name}.lua";
        using var stream = typeof(JobScripts).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The script {resource} is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
