using System.Globalization;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>`strftime` of C for the time now, in the C locale.</summary>
internal static class TimeFormat
{
    public static string Of(DateTimeOffset time, string format, Meter meter)
    {
        meter.Step(format.Length / 64);
        meter.Text(format.Length);
        var text = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                text.Append(format[at]);
                continue;
            }

            var flag = format[at + 1] is '-' or '_' or '0' or '^' && at + 2 < format.Length ? format[++at] : ' ';
            text.Append(Flagged(Part(time, format[++at]), flag));
            if (text.Length > meter.Limits.TextCharacters)
            {
                meter.Text(text.Length);
            }
        }

        return text.ToString();
    }

    private static string Flagged(string part, char flag) => flag switch
    {
        '-' => part.TrimStart('0', ' ') is { Length: > 0 } rest ? rest : part.Length > 0 && part[0] == '0' ? "0" : part,
        '_' => part.Length > 1 && part[0] == '0' ? part.TrimStart('0').PadLeft(part.Length) : part,
        '0' => part.Replace(' ', '0'),
        '^' => part.ToUpperInvariant(),
        _ => part,
    };

    private static string Part(DateTimeOffset time, char directive) => directive switch
    {
        'a' => Own(time, "ddd"),
        'A' => Own(time, "dddd"),
        'b' or 'h' => Own(time, "MMM"),
        'B' => Own(time, "MMMM"),
        'c' => $"{Own(time, "ddd MMM")} {time.Day,2} {Own(time, "HH:mm:ss yyyy")}",
        'C' => (time.Year / 100).ToString("00", CultureInfo.InvariantCulture),
        'd' => Own(time, "dd"),
        'D' or 'x' => Own(time, "MM'/'dd'/'yy"),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'f' => Own(time, "ffffff"),
        'F' => Own(time, "yyyy'-'MM'-'dd"),
        'G' => ISOWeek.GetYear(time.DateTime).ToString(CultureInfo.InvariantCulture),
        'g' => (ISOWeek.GetYear(time.DateTime) % 100).ToString("00", CultureInfo.InvariantCulture),
        'H' => Own(time, "HH"),
        'I' => Own(time, "hh"),
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'k' => time.Hour.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'l' => Own(time, "%h").PadLeft(2),
        'm' => Own(time, "MM"),
        'M' => Own(time, "mm"),
        'n' => "\n",
        'p' => time.Hour < 12 ? "AM" : "PM",
        'P' => time.Hour < 12 ? "am" : "pm",
        'r' => $"{Own(time, "hh':'mm':'ss")} {(time.Hour < 12 ? "AM" : "PM")}",
        'R' => Own(time, "HH':'mm"),
        's' => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        'S' => Own(time, "ss"),
        't' => "\t",
        'T' or 'X' => Own(time, "HH':'mm':'ss"),
        'u' => (((int)time.DayOfWeek + 6) % 7 + 1).ToString(CultureInfo.InvariantCulture),
        'U' => Week(time, (int)time.DayOfWeek),
        'V' => ISOWeek.GetWeekOfYear(time.DateTime).ToString("00", CultureInfo.InvariantCulture),
        'w' => ((int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'W' => Week(time, ((int)time.DayOfWeek + 6) % 7),
        'y' => Own(time, "yy"),
        'Y' => time.Year.ToString(CultureInfo.InvariantCulture),
        'z' or 'Z' => "",
        '%' => "%",
        _ => "%" + directive,
    };

    private static string Own(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);

    private static string Week(DateTimeOffset time, int dayOfWeek) =>
        ((time.DayOfYear + 6 - dayOfWeek) / 7).ToString("00", CultureInfo.InvariantCulture);
}
