namespace InstructTune.Modeling.Templates;

/// <summary>Floats, with Python's division and its errors.</summary>
internal static class RealArithmetic
{
    public static object Of(double left, string operation, double right) => operation switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => right == 0 ? throw ByZero("float division by zero") : left / right,
        "//" => right == 0 ? throw ByZero("float floor division by zero") : FloorDivide(left, right),
        "%" => right == 0 ? throw ByZero("float modulo") : Modulo(left, right),
        _ => Power(left, right),
    };

    private static double Modulo(double left, double right)
    {
        var rest = left % right;
        if (rest == 0)
        {
            return Math.CopySign(0, right);
        }

        return double.IsNegative(rest) != double.IsNegative(right) ? rest + right : rest;
    }

    private static double FloorDivide(double left, double right)
    {
        var quotient = (left - Modulo(left, right)) / right;
        if (quotient == 0)
        {
            return Math.CopySign(0, left / right);
        }

        var floor = Math.Floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static double Power(double left, double right)
    {
        if (left == 0 && right < 0)
        {
            throw ByZero("0.0 cannot be raised to a negative power");
        }

        var result = Math.Pow(left, right);
        if (left < 0 && double.IsFinite(left) && double.IsFinite(right) && Math.Floor(right) != right)
        {
            throw TemplateException.Value("the result is a complex number, which templates do not have");
        }

        return double.IsInfinity(result) && double.IsFinite(left) && double.IsFinite(right)
            ? throw TemplateException.Value("Numerical result out of range")
            : result;
    }

    private static TemplateException ByZero(string problem) => new(TemplateFault.ZeroDivision, problem);
}
