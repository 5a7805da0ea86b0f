using System.Globalization;
using Google.Protobuf.WellKnownTypes;

namespace InstructTune.Cli.Output;

/// <summary>Numbers as people read them, the same in every culture.</summary>
internal static class Formats
{
    private static readonly string[] SizeUnits = ["B", "KB", "MB", "GB", "TB"];

    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Score(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    public static string Signed(double value) => value.ToString("+0.000;-0.000;0.000", CultureInfo.InvariantCulture);

    public static string Loss(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    public static string Percent(double fraction) => fraction.ToString("P0", CultureInfo.InvariantCulture).Replace(" ", "");

    public static string Interval(double lower, double upper) => $"{Score(lower)} to {Score(upper)}";

    public static string PValue(double value) =>
        value < 0.001 ? "< 0.001" : value.ToString("0.000", CultureInfo.InvariantCulture);

    public static string Size(long sizeBytes)
    {
        double size = sizeBytes;
        var unit = 0;
        while (size >= 1000 && unit < SizeUnits.Length - 1)
        {
            size /= 1000;
            unit++;
        }

        return size.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + SizeUnits[unit];
    }

    public static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? time.ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture)
        : time.ToString(@"m\:ss", CultureInfo.InvariantCulture);

    public static string Time(Timestamp? time) =>
        time is null ? "-" : time.ToDateTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + "Z";

    /// <summary>The name of an enum value as the API writes it, without its prefix and in lower case.</summary>
    public static string Lower(System.Enum value) => value.ToString().ToLowerInvariant();
}
