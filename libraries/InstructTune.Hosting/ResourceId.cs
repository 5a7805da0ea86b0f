namespace InstructTune.Hosting;

/// <summary>The rule for IDs that people choose.</summary>
public static class ResourceId
{
    public const int MinLength = 3;
    public const int MaxLength = 63;

    public static bool IsValid(string id) =>
        id.Length is >= MinLength and <= MaxLength
        && id[0] is >= 'a' and <= 'z'
        && id.All(character => character is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');
}
