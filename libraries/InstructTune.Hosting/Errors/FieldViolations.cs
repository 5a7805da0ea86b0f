using InstructTune.V1;

namespace InstructTune.Hosting;

/// <summary>Collects everything that is wrong with a request, so that one answer names all of it.</summary>
public sealed class FieldViolations
{
    private readonly List<FieldViolation> _violations = [];

    /// <summary>Notes a violation of <paramref name="field"/> unless <paramref name="isValid"/>.</summary>
    public FieldViolations Check(bool isValid, string field, string problem)
    {
        if (!isValid)
        {
            _violations.Add(new FieldViolation(field, problem));
        }

        return this;
    }

    /// <summary>Notes a violation unless <paramref name="id"/> can be the ID of a resource.</summary>
    public FieldViolations CheckId(string id, string field) => Check(
        ResourceId.IsValid(id), field, $"must have 3 to 63 characters a-z, 0-9 and '-', beginning with a letter; got '{Shorten(id)}'");

    public void ThrowIfAny()
    {
        if (_violations.Count > 0)
        {
            throw ToException();
        }
    }

    /// <summary>The exception for one field.</summary>
    public static DomainException Single(string field, string problem) =>
        new FieldViolations().Check(isValid: false, field, problem).ToException();

    internal static string Shorten(string text) => text.Length <= 80 ? text : text[..80] + "...";

    private DomainException ToException()
    {
        var message = string.Join("; ", _violations.Select(violation => $"{violation.Field} {violation.Problem}"));
        return new DomainException(
            ErrorReason.FieldInvalid,
            message + ".",
            new Dictionary<string, string>(StringComparer.Ordinal) { ["field"] = _violations[0].Field },
            [.. _violations]);
    }
}
