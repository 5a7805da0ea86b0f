using System.Runtime.InteropServices;

namespace InstructTune.Modeling.Numerics;

/// <summary>Failures that only say that there was not enough memory for now.</summary>
public static class MemoryShortage
{
    private static readonly string[] _words = ["not enough memory", "can't allocate memory", "cannot allocate memory", "out of memory"];

    /// <summary>Whether that is what failed. Arrays of our own have a type for it; libtorch and the system say it in words only.</summary>
    /// <param name="exception">What was thrown.</param>
    public static bool Caused(Exception exception) => exception is OutOfMemoryException || (exception is ExternalException or IOException && Says(exception.Message));

    internal static bool Says(string message) => _words.Any(words => message.Contains(words, StringComparison.OrdinalIgnoreCase));
}
