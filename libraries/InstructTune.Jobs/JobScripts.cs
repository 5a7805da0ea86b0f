using InstructTune.Storage;

namespace InstructTune.Jobs;

/// <summary>The scripts beside this file, each with the shared functions before it.</summary>
/// <param name="rewrite">Name and text of a script to its text; tests plant defects with it.</param>
internal sealed class JobScripts(Func<string, string, string> rewrite)
{
    public static JobScripts AsWritten { get; } = new((_, text) => text);

    public LuaScript Create { get; } = Load("create", rewrite);

    public LuaScript Acquire { get; } = Load("acquire", rewrite);

    public LuaScript Renew { get; } = Load("renew", rewrite);

    public LuaScript Report { get; } = Load("report", rewrite);

    public LuaScript Complete { get; } = Load("complete", rewrite);

    public LuaScript Release { get; } = Load("release", rewrite);

    public LuaScript Cancel { get; } = Load("cancel", rewrite);

    public LuaScript Resume { get; } = Load("resume", rewrite);

    public LuaScript Reap { get; } = Load("reap", rewrite);

    public LuaScript Ask { get; } = Load("ask", rewrite);

    public LuaScript Ended { get; } = Load("ended", rewrite);

    public LuaScript Archived { get; } = Load("archived", rewrite);

    public LuaScript Missing { get; } = Load("missing", rewrite);

    public LuaScript Restore { get; } = Load("restore", rewrite);

    public LuaScript Delete { get; } = Load("delete", rewrite);

    public LuaScript Stats { get; } = Load("stats", rewrite);

    public LuaScript Get { get; } = Load("get", rewrite);

    public LuaScript List { get; } = Load("list", rewrite);

    public LuaScript ReadEvents { get; } = Load("read", rewrite);

    private static LuaScript Load(string name, Func<string, string, string> rewrite) =>
        new(name, rewrite("shared", Read("shared")) + "\n" + rewrite(name, Read(name)));

    private static string Read(string name)
    {
        var resource = $"{typeof(JobScripts).Namespace}.Scripts.{name}.lua";
        using var stream = typeof(JobScripts).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The script {resource} is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
