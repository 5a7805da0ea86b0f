using System.Globalization;
using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>Values of numbers as they are spelled in templates.</summary>
internal static class NumberLiteral
{
    private const int MaxDigits = 4300;

    public static object Integer(string spelling, int line)
    {
        var digits = spelling.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
        if (digits.Length > MaxDigits)
        {
            throw new TemplateException(TemplateFault.Limit, $"a number has more than {MaxDigits} digits", line);
        }

        var radix = digits.Length < 2 ? 10 : digits[1] switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 };
        return radix == 10
            ? BigInteger.Parse(digits, CultureInfo.InvariantCulture)
            : digits[2..].Aggregate(BigInteger.Zero, (value, digit) => (value * radix) + Convert.ToInt32(digit.ToString(), 16));
    }

    public static object Float(string spelling) =>
        double.Parse(spelling.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture);
}
