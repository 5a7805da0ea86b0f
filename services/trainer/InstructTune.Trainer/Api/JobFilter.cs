using System.Globalization;
using System.Text.RegularExpressions;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Api;

/// <summary>The part of AIP-160 that jobs are filtered by: comparisons joined by AND. Pure.</summary>
internal static partial class JobFilter
{
    private const string Help = "must be comparisons joined by AND, over job.state, labels.KEY, spec.base_model and job.create_time, such as job.state = RUNNING AND labels.team = \"a\"";
    private const string LabelPrefix = "labels.";

    /// <exception cref="DomainException">It is no filter; the message says what is.</exception>
    public static Func<JobRecord, bool> Parse(string filter, string field)
    {
        var conditions = new List<Func<JobRecord, bool>>();
        var position = 0;
        while (true)
        {
            var match = Comparison().Match(filter, position);
            var condition = match.Success ? Condition(match.Groups["field"].Value, match.Groups["op"].Value, Value(match)) : null;
            new FieldViolations().Check(condition is not null, field, Help).ThrowIfAny();
            conditions.Add(condition!);
            position = match.Index + match.Length;
            if (position == filter.Length)
            {
                return job => conditions.TrueForAll(passes => passes(job));
            }

            var and = And().Match(filter, position);
            new FieldViolations().Check(and.Success, field, Help).ThrowIfAny();
            position += and.Length;
        }
    }

    private static Func<JobRecord, bool>? Condition(string name, string op, string value) => (name, op) switch
    {
        ("job.state", "=" or "!=") when Enum.TryParse<JobState>(value, ignoreCase: true, out var state) && Enum.IsDefined(state) && !int.TryParse(value, CultureInfo.InvariantCulture, out _) =>
            job => (job.State == state) == (op == "="),
        ("spec.base_model", "=" or "!=") => job => (FineTuneOrder.Parse(job.Spec).Spec.BaseModel == value) == (op == "="),
        ("job.create_time", _) when op != ":" && DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) =>
            job => Compare(job.Created.CompareTo(time), op),
        (_, "=" or "!=") when name.StartsWith(LabelPrefix, StringComparison.Ordinal) =>
            job => (LabelOf(job, name) == value) == (op == "="),
        (_, ":") when name.StartsWith(LabelPrefix, StringComparison.Ordinal) && value == "*" => job => LabelOf(job, name) is not null,
        _ => null,
    };

    private static string? LabelOf(JobRecord job, string name) => FineTuneOrder.Parse(job.Spec).Labels.GetValueOrDefault(name[LabelPrefix.Length..]);

    private static bool Compare(int order, string op) => op switch
    {
        "=" => order == 0,
        "!=" => order != 0,
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };

    private static string Value(Match match) => match.Groups["quoted"] is { Success: true } quoted
        ? quoted.Value.Replace("\\\"", "\"", StringComparison.Ordinal)
        : match.Groups["plain"].Value;

    [GeneratedRegex("""\G\s*(?<field>[A-Za-z_][A-Za-z0-9_.-]*)\s*(?<op>!=|<=|>=|=|<|>|:)\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>[^\s"()]+))\s*""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Comparison();

    [GeneratedRegex("""\GAND\s+""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex And();
}
