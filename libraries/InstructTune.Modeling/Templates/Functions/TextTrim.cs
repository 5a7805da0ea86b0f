namespace InstructTune.Modeling.Templates;

/// <summary>`strip` and its relatives: white space, or any of the given characters.</summary>
internal static class TextTrim
{
    public static string Both(string text, string? characters) => Start(End(text, characters), characters);

    public static string Start(string text, string? characters) => characters is null
        ? WhiteSpace.TrimStart(text)
        : CodePoints.AreUnits(characters)
            ? text.TrimStart([.. characters.DefaultIfEmpty('\uffff')])
            : string.Concat(CodePoints.Split(text).SkipWhile(part => characters.Contains(part, StringComparison.Ordinal)));

    public static string End(string text, string? characters) => characters is null
        ? WhiteSpace.TrimEnd(text)
        : CodePoints.AreUnits(characters)
            ? text.TrimEnd([.. characters.DefaultIfEmpty('\uffff')])
            : string.Concat(CodePoints.Split(text).Reverse().SkipWhile(part => characters.Contains(part, StringComparison.Ordinal)).Reverse());
}
