using System.Diagnostics.Metrics;

namespace InstructTune.Inference.Engine;

/// <summary>The label <c>class</c> of figures that are kept for each <see cref="Urgency"/>.</summary>
internal static class UrgencyLabel
{
    private static readonly string[] _classes = [.. Enum.GetNames<Urgency>().Select(name => name.ToLowerInvariant())];

    public static KeyValuePair<string, object?> For(Urgency urgency) => new("class", _classes[(int)urgency]);

    public static IEnumerable<Measurement<T>> Of<T>(T[] values)
        where T : struct => values.Select((value, urgency) => new Measurement<T>(value, For((Urgency)urgency)));
}
