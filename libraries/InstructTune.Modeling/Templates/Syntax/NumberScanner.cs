namespace InstructTune.Modeling.Templates;

/// <summary>How numbers are spelled in templates; 0 where none begins.</summary>
internal static class NumberScanner
{
    public static int Float(string source, int at)
    {
        if (at > 0 && source[at - 1] == '.')
        {
            return 0;
        }

        var whole = Digits(source, at);
        if (whole == at)
        {
            return 0;
        }

        var end = whole;
        if (At(source, end) == '.' && Digits(source, end + 1) is var fraction && fraction > end + 1)
        {
            end = fraction;
        }

        if (At(source, end) is 'e' or 'E')
        {
            var start = end + (At(source, end + 1) is '+' or '-' ? 2 : 1);
            var exponent = Digits(source, start);
            end = exponent > start ? exponent : end;
        }

        return end == whole ? 0 : end - at;
    }

    public static int Integer(string source, int at)
    {
        if (At(source, at) == '0')
        {
            var prefixed = At(source, at + 1) switch
            {
                'x' or 'X' => Run(source, at + 2, char.IsAsciiHexDigit),
                'o' or 'O' => Run(source, at + 2, c => c is >= '0' and <= '7'),
                'b' or 'B' => Run(source, at + 2, c => c is '0' or '1'),
                _ => at + 2,
            };
            return prefixed > at + 2 ? prefixed - at : Run(source, at, c => c == '0') - at;
        }

        return At(source, at) is >= '1' and <= '9' ? Run(source, at, char.IsAsciiDigit) - at : 0;
    }

    private static int Digits(string source, int at) => char.IsAsciiDigit(At(source, at)) ? Run(source, at, char.IsAsciiDigit) : at;

    // Single underscores may stand between digits, and before the first one after a prefix.
    private static int Run(string source, int at, Func<char, bool> isDigit)
    {
        while (isDigit(At(source, at)) || (At(source, at) == '_' && isDigit(At(source, at + 1))))
        {
            at++;
        }

        return at;
    }

    private static char At(string source, int at) => at < source.Length ? source[at] : '\0';
}
