namespace InstructTune.Testing;

/// <summary>
/// Reference outputs of other programs. They are not part of this repository: <c>INSTRUCTTUNE_FIXTURES</c> names their
/// folder, and tests that need them skip visibly where it is absent.
/// </summary>
public static class FixtureFolder
{
    public const string Variable = "INSTRUCTTUNE_FIXTURES";

    public static string Root { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
        ? named
        : Path.GetFullPath(Path.Combine(RepositoryRoot.Path, "..", "shared", "fixtures"));

    /// <summary>The folder of one family, such as <c>tokenizers</c>; skips the test where it is absent.</summary>
    public static string Require(string family)
    {
        var folder = Path.Combine(Root, family);
        return Directory.Exists(folder) ? folder : throw new SkippedTestException($"The reference outputs `{family}` are not here: set {Variable} to their folder.");
    }

    /// <summary>A folder beside the reference outputs, such as <c>models/nano</c>; skips the test where it is absent.</summary>
    public static string RequireBeside(string path)
    {
        var folder = Path.GetFullPath(Path.Combine(Root, "..", path));
        return Directory.Exists(folder) || File.Exists(folder) ? folder : throw new SkippedTestException($"`{path}` is not beside the reference outputs: set {Variable}.");
    }
}
