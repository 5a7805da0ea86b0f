using System.Globalization;
using System.Text;
using System.Text.Json;
using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>Answers that are not streamed: several, or token by token with log-probabilities.</summary>
internal static class CandidateText
{
    public static void Write(Terminal terminal, GenerateResponse response)
    {
        WriteTokens(terminal, "prompt", response.PromptTokens);
        foreach (var (index, candidate) in response.Candidates.Index())
        {
            if (response.Candidates.Count > 1)
            {
                terminal.Out.WriteLine($"[{index}]");
            }

            if (candidate.Tokens.Count == 0)
            {
                terminal.Out.WriteLine(candidate.Text);
            }

            WriteTokens(terminal, "output", candidate.Tokens);
        }
    }

    private static void WriteTokens(Terminal terminal, string part, IReadOnlyCollection<TokenLogprob> tokens)
    {
        foreach (var token in tokens)
        {
            var value = token.HasLogprob ? Number(token.Logprob) : "-";
            var alternatives = string.Join("  ", token.Alternatives.Select(a => $"{Number(a.Logprob)} {Spell(a.Bytes.Span)}"));
            terminal.Out.WriteLine($"{part}  {token.TokenId,7}  {value,9}  {Spell(token.Bytes.Span),-18}  {alternatives}".TrimEnd());
        }
    }

    private static string Number(double logprob) => logprob.ToString("F4", CultureInfo.InvariantCulture);

    // Quoted, so that spaces and line ends show; bytes that are no text by themselves in hex.
    private static string Spell(ReadOnlySpan<byte> bytes) =>
        System.Text.Unicode.Utf8.IsValid(bytes) ? JsonSerializer.Serialize(Encoding.UTF8.GetString(bytes), s_readable) : $"bytes:{Convert.ToHexString(bytes)}";

    private static readonly JsonSerializerOptions s_readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
