using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>How far served weights are from float32, where they have fewer bits: what the server measured when it loaded them.</summary>
internal static class ParityLine
{
    public static void Write(Terminal terminal, ServedModel? served)
    {
        if (served is null || !served.Numerics.TryGetValue("parity_tokens", out var tokens))
        {
            return;
        }

        var facts = served.Numerics;
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(
            $"Weights: {facts["element_type"]}. Beside float32 on {tokens} tokens of fixed texts: the most likely token agrees on {facts["parity_token_agreement"]} of them, "
            + $"the largest logit gap is {facts["parity_largest_logit_gap"]}, the loss goes from {facts["parity_loss_float32"]} by {facts["parity_loss_gap"]}.");
    }
}
