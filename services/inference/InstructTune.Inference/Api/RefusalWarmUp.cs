using InstructTune.Hosting;
using InstructTune.Inference.Admission;

namespace InstructTune.Inference.Api;

/// <summary>
/// Makes one refusal as the service starts. The first of a process takes some hundred milliseconds to compile, and would come with a flood, before
/// all that are behind it.
/// </summary>
internal sealed class RefusalWarmUp(TimeProvider time) : BackgroundService
{
    private const string Nobody = "nobody";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            var full = new AdmissionGate(new AdmissionLimits(0, 0), time);
            await FaultTranslation.RunAsync(() => Task.FromResult(FaultTranslation.Run(() => full.Enter(Nobody))));
        }
        catch (DomainException refusal)
        {
            _ = refusal.ToRpcException();
        }
    }
}
