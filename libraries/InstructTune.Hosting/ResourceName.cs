namespace InstructTune.Hosting;

/// <summary>
/// A resource name taken apart by its pattern (AIP-122): literal segments must agree, variable segments must be
/// IDs of 1 to 128 characters <c>a-z A-Z 0-9 . _ -</c>, so that no segment is ever a path.
/// </summary>
public static class ResourceName
{
    private const int MaxSegmentLength = 128;

    /// <summary>The variable segments of <paramref name="name"/>, in order.</summary>
    /// <exception cref="DomainException"><c>FIELD_INVALID</c> of <paramref name="field"/> when the name does not fit.</exception>
    public static string[] Parse(string pattern, string name, string field) =>
        TryParse(pattern, name, out var variables)
            ? variables
            : throw FieldViolations.Single(field, $"must have the form '{pattern}'; got '{FieldViolations.Shorten(name)}'");

    public static bool TryParse(string pattern, string name, out string[] variables)
    {
        variables = [];
        var expected = pattern.Split('/');
        var actual = name.Split('/');
        if (expected.Length != actual.Length)
        {
            return false;
        }

        var found = new List<string>();
        for (var i = 0; i < expected.Length; i++)
        {
            if (!expected[i].StartsWith('{'))
            {
                if (expected[i] != actual[i])
                {
                    return false;
                }
            }
            else if (IsSegment(actual[i]))
            {
                found.Add(actual[i]);
            }
            else
            {
                return false;
            }
        }

        variables = [.. found];
        return true;
    }

    private static bool IsSegment(string segment) =>
        segment.Length is > 0 and <= MaxSegmentLength
        && segment.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-')
        && segment.Trim('.').Length > 0;
}
