namespace InstructTune.Storage;

/// <summary>
/// A named place where a test may stop, delay or fail the process. In the product nothing can be there: no code of it sets a handler, so that hitting a
/// point is one comparison with null. Tests set it from an assembly of their own (docs/adr).
/// </summary>
public static class FailPoint
{
    /// <summary>Told the name of every point that is hit. Set by tests, before any work.</summary>
    internal static Action<string>? Handler { get; set; }

    public static void Hit(string name) => Handler?.Invoke(name);

    /// <summary>A point of something that several do: the name is put together only where somebody listens.</summary>
    public static void Hit(string what, string moment) => Handler?.Invoke($"{what}.{moment}");
}
