using System.Globalization;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>Floats as Python's `repr` writes them: the shortest digits, an exponent below 1e-4 and from 1e16 on.</summary>
internal static class FloatForm
{
    public static string Of(double value)
    {
        if (double.IsNaN(value))
        {
            return "nan";
        }

        if (double.IsInfinity(value))
        {
            return value > 0 ? "inf" : "-inf";
        }

        var (digits, exponent) = Shortest(Math.Abs(value));
        var sign = double.IsNegative(value) ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        return exponent < 0
            ? $"{sign}0.{new string('0', -exponent - 1)}{digits}"
            : digits.Length <= exponent + 1
                ? $"{sign}{digits.PadRight(exponent + 1, '0')}.0"
                : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>The shortest digits that read back as the number, and the power of ten of the first.</summary>
    public static (string Digits, int Exponent) Shortest(double value)
    {
        var text = value.ToString("E16", CultureInfo.InvariantCulture);
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        var mantissa = new StringBuilder();
        foreach (var character in shortest.TakeWhile(c => c != 'E'))
        {
            if (char.IsAsciiDigit(character))
            {
                mantissa.Append(character);
            }
        }

        var digits = mantissa.ToString().TrimStart('0').TrimEnd('0');
        return digits.Length == 0 ? ("0", 0) : (digits, int.Parse(text.AsSpan(text.IndexOf('E', StringComparison.Ordinal) + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }
}
