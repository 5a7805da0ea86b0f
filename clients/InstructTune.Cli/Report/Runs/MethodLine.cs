using System.Globalization;
using InstructTune.V1;
using MethodCase = InstructTune.V1.FineTuneSpec.Types.TrainingMethod.MethodOneofCase;

namespace InstructTune.Cli.Report.Runs;

/// <summary>What a stage trains, in a line. Pure.</summary>
internal static class MethodLine
{
    public static string Of(FineTuneSpec.Types.TrainingMethod? method) => method?.MethodCase switch
    {
        MethodCase.Full => "all weights",
        MethodCase.Freeze => string.Join(" and ", Frozen(method.Freeze)),
        MethodCase.Qlora => "QLoRA " + Adapter(method.Qlora.Lora ?? new()),
        MethodCase.Lora => "LoRA " + Adapter(method.Lora),
        _ => "LoRA",
    };

    private static string Adapter(FineTuneSpec.Types.LoraMethod lora)
    {
        var ways = new[]
        {
            lora.RankStabilized ? "rank-stabilized" : "", lora.WeightDecomposed ? "weight-decomposed" : "",
            lora.Initialization == FineTuneSpec.Types.LoraMethod.Types.Initialization.Pissa ? "PiSSA" : "",
            lora.BLearningRateRatio is 0 or 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"rate of B times {lora.BLearningRateRatio:0.###}"),
        }.Where(way => way.Length > 0);
        return string.Join(", ", [string.Create(CultureInfo.InvariantCulture, $"r {lora.Rank}, alpha {lora.Alpha:0.###}, dropout {lora.Dropout:0.###}"), .. ways]);
    }

    private static IEnumerable<string> Frozen(FineTuneSpec.Types.FreezeMethod freeze)
    {
        if (freeze.TrainableLastLayers > 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"the last {freeze.TrainableLastLayers} layers");
        }

        if (freeze.TrainableModules.Count > 0)
        {
            yield return string.Join(", ", freeze.TrainableModules);
        }
    }
}
