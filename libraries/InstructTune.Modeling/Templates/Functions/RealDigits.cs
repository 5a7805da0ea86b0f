using System.Globalization;
using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>Floats with a given number of digits, rounded from their exact value, halves to even, as C and Python do.</summary>
internal static class RealDigits
{
    public static string Fixed(double value, int precision)
    {
        var digits = Scaled(Math.Abs(value), precision).ToString(CultureInfo.InvariantCulture).PadLeft(precision + 1, '0');
        return precision == 0 ? digits : $"{digits[..^precision]}.{digits[^precision..]}";
    }

    public static string Exponent(double value, int precision)
    {
        var (digits, exponent) = Significant(Math.Abs(value), precision + 1);
        var fraction = precision == 0 ? "" : "." + digits[1..];
        return $"{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    /// <summary>The shorter of the two, with <paramref name="precision"/> digits at most.</summary>
    public static string General(double value, int precision, bool keepsZeros)
    {
        precision = Math.Max(1, precision);
        var (_, exponent) = Significant(Math.Abs(value), precision);
        if (exponent < -4 || exponent >= precision)
        {
            var text = Exponent(value, precision - 1);
            var mark = text.IndexOf('e', StringComparison.Ordinal);
            return (keepsZeros ? text[..mark] : Trimmed(text[..mark])) + text[mark..];
        }

        var plain = Fixed(value, precision - 1 - exponent);
        return keepsZeros ? plain : Trimmed(plain);
    }

    /// <summary>The value times ten to the power, rounded.</summary>
    public static BigInteger Scaled(double value, int power)
    {
        var (mantissa, exponent) = Parts(value);
        var numerator = power >= 0 ? mantissa * BigInteger.Pow(10, power) : mantissa;
        var denominator = power >= 0 ? BigInteger.One : BigInteger.Pow(10, -power);
        return exponent >= 0 ? Divided(numerator << exponent, denominator) : Divided(numerator, denominator << -exponent);
    }

    private static (string Digits, int Exponent) Significant(double value, int count)
    {
        if (value == 0)
        {
            return (new string('0', count), 0);
        }

        var exponent = FloatForm.Shortest(value).Exponent;
        var digits = Scaled(value, count - 1 - exponent).ToString(CultureInfo.InvariantCulture);
        return digits.Length > count ? (digits[..count], exponent + 1) : (digits, exponent);
    }

    private static string Trimmed(string text) => text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;

    private static (BigInteger Mantissa, int Exponent) Parts(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = bits & 0xFFFFFFFFFFFFF;
        return exponent == 0 ? (mantissa, -1074) : (mantissa | (1L << 52), exponent - 1075);
    }

    private static BigInteger Divided(BigInteger numerator, BigInteger denominator)
    {
        var quotient = BigInteger.DivRem(numerator, denominator, out var rest);
        var order = (rest * 2).CompareTo(denominator);
        return order > 0 || (order == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }
}
