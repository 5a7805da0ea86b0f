using System.Globalization;

namespace InstructTune.Trainer.Reports;

/// <summary>A double as Python's <c>repr</c> writes it, and as <c>json.dumps</c> does.</summary>
internal static class PythonNumber
{
    public static string Format(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
        }

        // Shortest digits that read back, as in Python; only the layout differs.
        var parts = value.ToString("E16", CultureInfo.InvariantCulture);
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        var exponent = int.Parse(parts.AsSpan(parts.IndexOf('E', StringComparison.Ordinal) + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return exponent is < -4 or >= 16 && value != 0 ? Scientific(shortest, exponent) : Plain(shortest, exponent);
    }

    private static string Scientific(string shortest, int exponent)
    {
        var (sign, digits) = Digits(shortest);
        var mantissa = digits.Length == 1 ? digits : $"{digits[0]}.{digits[1..]}";
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
    }

    private static string Plain(string shortest, int exponent)
    {
        if (!shortest.Contains('E', StringComparison.Ordinal))
        {
            return shortest.Contains('.', StringComparison.Ordinal) ? shortest : shortest + ".0";
        }

        // Between 1e-5 and 1e-4, and from 1e15 to 1e16, .NET has changed to an exponent already.
        var (sign, digits) = Digits(shortest);
        return exponent < 0
            ? $"{sign}0.{new string('0', -exponent - 1)}{digits}"
            : digits.Length <= exponent + 1 ? $"{sign}{digits.PadRight(exponent + 1, '0')}.0" : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    private static (string Sign, string Digits) Digits(string shortest)
    {
        var end = shortest.IndexOf('E', StringComparison.Ordinal);
        var digits = (end < 0 ? shortest : shortest[..end]).Replace(".", "", StringComparison.Ordinal);
        var sign = digits[0] == '-' ? "-" : "";
        digits = digits[sign.Length..].TrimStart('0').TrimEnd('0');
        return (sign, digits.Length == 0 ? "0" : digits);
    }
}
