using System.Globalization;
using System.Text;
using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>A rendered prompt: the text, and a line for each token. What training learns is green on a terminal, and has a mark everywhere.</summary>
internal static class PromptPicture
{
    private const string Green = "\u001b[32m";
    private const string Plain = "\u001b[0m";

    public static void Write(Terminal terminal, RenderPromptResponse rendered)
    {
        terminal.Out.WriteLine($"{rendered.ModelVersion}, format {rendered.PromptFormat} ({rendered.PromptFormatSha256[..Math.Min(12, rendered.PromptFormatSha256.Length)]})");
        WriteTokens(terminal, rendered);
    }

    /// <summary>The text and its tokens only.</summary>
    public static void WriteTokens(Terminal terminal, RenderPromptResponse rendered)
    {
        var colours = terminal.IsRich && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var output = terminal.Out;
        output.WriteLine();
        foreach (var line in Safe(rendered.Text).Split('\n'))
        {
            output.WriteLine("  | " + line);
        }

        output.WriteLine();
        output.WriteLine($"{rendered.TokenIds.Count} tokens, {rendered.Trained.Count(t => t)} trained (marked *)");
        output.WriteLine();
        for (var i = 0; i < rendered.TokenIds.Count; i++)
        {
            output.WriteLine(Row(rendered, i, colours));
        }
    }

    private static string Row(RenderPromptResponse rendered, int index, bool colours)
    {
        var trained = rendered.Trained[index];
        var bytes = rendered.TokenBytes[index].ToByteArray();
        var hex = Convert.ToHexStringLower(bytes);
        var row = string.Create(CultureInfo.InvariantCulture, $"{index,6} {(trained ? '*' : ' ')} {rendered.TokenIds[index],8}  {(hex.Length > 24 ? hex[..22] + ".." : hex),-24}  {Spelled(bytes)}");
        return colours && trained ? Green + row + Plain : row;
    }

    // Bytes that are no characters, and those that would move the cursor, are shown by their codes.
    private static string Spelled(byte[] bytes)
    {
        var text = new StringBuilder();
        for (var rest = bytes.AsSpan(); rest.Length > 0;)
        {
            var whole = Rune.DecodeFromUtf8(rest, out var rune, out var length) == System.Buffers.OperationStatus.Done;
            text.Append(whole && !Rune.IsControl(rune) ? rune.ToString() : whole && rune.Value == '\n' ? "\\n" : string.Concat(rest[..length].ToArray().Select(b => $"\\x{b:x2}")));
            rest = rest[length..];
        }

        return "`" + text + "`";
    }

    private static string Safe(string text) =>
        string.Concat(text.EnumerateRunes().Select(rune => Rune.IsControl(rune) && rune.Value != '\n' ? $"\\x{rune.Value:x2}" : rune.ToString()));
}
