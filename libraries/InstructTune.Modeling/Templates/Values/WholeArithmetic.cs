using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>Whole numbers without bound, up to the limit on bits.</summary>
internal static class WholeArithmetic
{
    public static object Of(BigInteger left, string operation, BigInteger right, Meter meter)
    {
        switch (operation)
        {
            case "+":
                return Checked(left + right, meter);
            case "-":
                return Checked(left - right, meter);
            case "*":
                return Bits(left) + Bits(right) > meter.Limits.NumberBits ? throw TooLarge(meter) : left * right;
            case "/":
                return right.IsZero ? throw ByZero("division by zero") : Numbers.ToDouble(left) / Numbers.ToDouble(right);
            case "//":
                return right.IsZero ? throw ByZero("integer division or modulo by zero") : FloorDivide(left, right);
            case "%":
                return right.IsZero ? throw ByZero("integer modulo by zero") : left - (FloorDivide(left, right) * right);
            default:
                return Power(left, right, meter);
        }
    }

    private static object Power(BigInteger left, BigInteger right, Meter meter)
    {
        if (right.Sign < 0)
        {
            return left.IsZero
                ? throw ByZero("0.0 cannot be raised to a negative power")
                : RealArithmetic.Of(Numbers.ToDouble(left), "**", Numbers.ToDouble(right));
        }

        if (left.IsZero || left.IsOne || left == BigInteger.MinusOne)
        {
            return right.IsZero ? BigInteger.One : left == BigInteger.MinusOne && right.IsEven ? BigInteger.One : left;
        }

        return right > meter.Limits.NumberBits || Bits(left) * right > meter.Limits.NumberBits + Bits(left)
            ? throw TooLarge(meter)
            : Checked(BigInteger.Pow(left, (int)right), meter);
    }

    private static BigInteger FloorDivide(BigInteger left, BigInteger right)
    {
        var quotient = BigInteger.DivRem(left, right, out var remainder);
        return remainder.IsZero || remainder.Sign == right.Sign ? quotient : quotient - BigInteger.One;
    }

    private static BigInteger Checked(BigInteger number, Meter meter) => Bits(number) > meter.Limits.NumberBits ? throw TooLarge(meter) : number;

    private static long Bits(BigInteger number) => BigInteger.Abs(number).GetBitLength();

    private static TemplateException ByZero(string problem) => new(TemplateFault.ZeroDivision, problem);

    private static TemplateException TooLarge(Meter meter) =>
        TemplateException.Limit($"the template makes a number of more than {meter.Limits.NumberBits} bits");
}
