using System.Text;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary>Writes an answer while it is made.</summary>
internal static class AnswerStream
{
    public static async Task<string> WriteAsync(InstructTuneClient client, Terminal terminal, GenerateRequest request, CancellationToken ct)
    {
        var answer = new StringBuilder();
        using var call = client.Inference.StreamGenerate(request, cancellationToken: ct);
        while (await call.ResponseStream.MoveNext(ct))
        {
            var part = call.ResponseStream.Current;
            answer.Append(part.TextDelta);
            terminal.Out.Write(part.TextDelta);
            terminal.Out.Flush();
            if (part.FinishReason == FinishReason.Length && terminal.IsRich)
            {
                terminal.Out.Write(" [cut at the token limit]");
            }
        }

        terminal.Out.WriteLine();
        return answer.ToString();
    }
}
