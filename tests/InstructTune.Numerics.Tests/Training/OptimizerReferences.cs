using System.Text.Json;
using InstructTune.Modeling.Training;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>Reads the settings of a reference trace into ours.</summary>
internal static class OptimizerReferences
{
    public static OptimizerSettings Settings(JsonElement trace) => trace.GetProperty("optimizer").GetString()!.Split(' ', '(')[0] switch
    {
        "torch.optim.AdamW" => AdamW(trace),
        "lion_pytorch.Lion" => new LionSettings(Beta(trace, 0), Beta(trace, 1), Number(trace, "weight_decay")),
        "torch.optim.SGD" => new SgdSettings(
            Number(trace, "momentum"), Number(trace, "dampening"), Flag(trace, "nesterov"), Number(trace, "weight_decay")),
        "transformers.Adafactor" => new AdafactorSettings(
            trace.GetProperty("eps")[0].GetDouble(), Number(trace, "clip_threshold"), Number(trace, "decay_rate"),
            trace.GetProperty("beta1") is { ValueKind: JsonValueKind.Number } beta ? beta.GetDouble() : null, Number(trace, "weight_decay"))
        {
            LeastScale = trace.GetProperty("eps")[1].GetDouble(),
            ScalesByWeight = Flag(trace, "scale_parameter"),
            UsesRelativeRate = Flag(trace, "relative_step"),
            WarmsUp = Flag(trace, "warmup_init"),
        },
        var other => throw new InvalidDataException($"the reference optimizer {other} is not known"),
    };

    public static AdamWSettings AdamW(JsonElement trace) =>
        new(Beta(trace, 0), Beta(trace, 1), Number(trace, "eps"), Number(trace, "weight_decay"));

    public static double Rate(JsonElement trace, int step) =>
        trace.TryGetProperty("lr_per_step", out var rates) ? rates[step].GetDouble() : Number(trace, "lr");

    private static double Beta(JsonElement trace, int index) => trace.GetProperty("betas")[index].GetDouble();

    private static double Number(JsonElement trace, string name) =>
        trace.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0;

    private static bool Flag(JsonElement trace, string name) => trace.TryGetProperty(name, out var value) && value.GetBoolean();
}
