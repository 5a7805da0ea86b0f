using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
using InstructTune.Modeling.Numerics;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference;

internal sealed class InferenceOptionsValidator : IValidateOptions<InferenceOptions>
{
    public ValidateOptionsResult Validate(string? name, InferenceOptions options)
    {
        List<string> problems = [];
        Check(options.MaxRunning >= 1, $"Inference:MaxRunning must be at least 1; it is {options.MaxRunning}.");
        Check(
            options.Limits.LeavesRoomForPrompts,
            $"Inference:StepTokens must be at least Inference:MaxRunning + {Sequence.ChunkTokens}; they are {options.StepTokens} and {options.MaxRunning}.");
        Check(options.StepTime > TimeSpan.Zero, $"Inference:StepTime must be positive; it is {options.StepTime}.");
        Check(options.MaxWaiting >= 1, $"Inference:MaxWaiting must be at least 1; it is {options.MaxWaiting}.");
        Check(options.MaxWaitingTokens >= 1, $"Inference:MaxWaitingTokens must be at least 1; it is {options.MaxWaitingTokens}.");
        Check(
            WeightForm.Find(options.WeightFormat) is not null,
            $"Inference:WeightFormat must be one of {string.Join(", ", WeightForm.All.Select(form => form.Name))}; it is {options.WeightFormat}.");
        Check(
            WeightForm.Find(options.WeightFormat) != WeightForm.Graphics || ComputeDevice.HasGraphics,
            $"Inference:WeightFormat is {options.WeightFormat}, and libtorch finds no GPU: build with -p:TorchBackend={ComputeDevice.Graphics}, and run where there is one.");
        Check(options.CacheBytes >= 1, $"Inference:CacheBytes must be positive; it is {options.CacheBytes}.");
        Check(options.PrefixBytes >= 0, $"Inference:PrefixBytes must not be negative; it is {options.PrefixBytes}.");
        Check(options.PrefixTenantBytes >= 0, $"Inference:PrefixTenantBytes must not be negative; it is {options.PrefixTenantBytes}.");
        Check(options.ReservedOutputTokens >= 1, $"Inference:ReservedOutputTokens must be at least 1; it is {options.ReservedOutputTokens}.");
        Check(options.MaxWaitingPerTenant >= 0, $"Inference:MaxWaitingPerTenant must not be negative; it is {options.MaxWaitingPerTenant}.");
        Check(options.MaxWaitingTokensPerTenant >= 0, $"Inference:MaxWaitingTokensPerTenant must not be negative; it is {options.MaxWaitingTokensPerTenant}.");
        Check(options.AgingTime > TimeSpan.Zero, $"Inference:AgingTime must be positive; it is {options.AgingTime}.");
        Check(options.Heartbeat > TimeSpan.Zero, $"Inference:Heartbeat must be positive; it is {options.Heartbeat}.");
        Check(options.SlowReaderTimeout > TimeSpan.Zero, $"Inference:SlowReaderTimeout must be positive; it is {options.SlowReaderTimeout}.");
        Check(
            options.TenantWeights.Values.All(weight => weight > 0 && double.IsFinite(weight)),
            "Inference:TenantWeights must be positive numbers.");
        Check(options.ModelBytes >= 1, $"Inference:ModelBytes must be positive; it is {options.ModelBytes}.");
        Check(
            options.KeepIdle == TimeSpan.Zero || options.KeepIdle >= TimeSpan.FromSeconds(1),
            $"Inference:KeepIdle must be 0 or at least a second; it is {options.KeepIdle}.");
        Check(options.RegistryTimeout > TimeSpan.Zero, $"Inference:RegistryTimeout must be positive; it is {options.RegistryTimeout}.");
        Check(options.StepTimeout > TimeSpan.Zero, $"Inference:StepTimeout must be positive; it is {options.StepTimeout}.");
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);

        void Check(bool isValid, string problem)
        {
            if (!isValid)
            {
                problems.Add(problem);
            }
        }
    }
}
