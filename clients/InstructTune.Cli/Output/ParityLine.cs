using System.Globalization;
using InstructTune.Cli.CommandLine;
using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>How far served weights are from float32, where they have fewer bits: what the server measured when it loaded them.</summary>
internal static class ParityLine
{
    public static void Write(Terminal terminal, ServedModel? served)
    {
        if (served?.Parity is not { } parity)
        {
            return;
        }

        terminal.Out.WriteLine();
        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Weights: {WeightFormatOption.NameOf(served.WeightFormat)}. Beside float32 on {parity.TokenCount} tokens of fixed texts: the most likely token agrees on {parity.TokenAgreement:P1} of them, the largest logit gap is {parity.MaxLogitDifference:G4}, the loss goes from {parity.Float32Loss:F4} by {parity.LossDifference:+0.0000;-0.0000}."));
    }
}
