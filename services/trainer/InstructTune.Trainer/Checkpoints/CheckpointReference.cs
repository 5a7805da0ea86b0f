using System.Globalization;
using System.Text.RegularExpressions;

namespace InstructTune.Trainer.Checkpoints;

/// <summary>Names a checkpoint of a job and its content: <c>attempt-2/step-00000120@SHA256</c>, which the job record holds.</summary>
internal sealed partial record CheckpointReference(int Attempt, long Step, string ManifestSha256)
{
    /// <summary>Where it lies, below the job's folder.</summary>
    public string Path => string.Create(CultureInfo.InvariantCulture, $"attempt-{Attempt}/step-{Step:D8}");

    /// <summary>Its resource ID, such as <c>a2-s120</c>.</summary>
    public string Id => string.Create(CultureInfo.InvariantCulture, $"a{Attempt}-s{Step}");

    public override string ToString() => $"{Path}@{ManifestSha256}";

    /// <summary>Null for an empty text, as before the first checkpoint.</summary>
    public static CheckpointReference? Parse(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }

        var match = Form().Match(text);
        return match.Success
            ? new CheckpointReference(Number<int>(match, 1), Number<long>(match, 2), match.Groups[3].Value)
            : throw new FormatException($"'{text}' names no checkpoint; expected attempt-N/step-NNNNNNNN@SHA256");
    }

    private static T Number<T>(Match match, int group)
        where T : IParsable<T> => T.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("^attempt-([0-9]{1,9})/step-([0-9]{8,18})@([0-9a-f]{64})$")]
    private static partial Regex Form();
}
