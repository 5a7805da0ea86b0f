using InstructTune.Inference.Engine;
using InstructTune.Kernels;
using InstructTune.Storage;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Models;

/// <summary>Models from the artifact store to the engine. Files are read here, on the pool; only the hand-over is a command.</summary>
internal sealed class ModelLoader(
    IArtifactStore artifacts, EngineLoop engine, LlamaRunner runner, Scheduler scheduler, Team team, ParityLedger parity,
    IOptions<InferenceOptions> options)
    : IModelLoader
{
    public async Task<IModelLoad> OpenAsync(ResidentModel resident, CancellationToken cancellationToken)
    {
        var folder = await artifacts.OpenAsync(resident.Sha256, cancellationToken);
        return resident.Parent is { } parent
            ? await OpenAdapterAsync(folder, resident, parent)
            : new BaseLoad(folder, resident.Sha256, options.Value, team, parity, (loaded, slots) => engine.InvokeAsync(() =>
            {
                runner.AddBase(resident.Key, loaded);
                scheduler.AddBase(resident.Key, slots);
            }));
    }

    public Task UnloadAsync(ResidentModel resident) => engine.InvokeAsync(() =>
    {
        if (resident.Parent is { } parent)
        {
            runner.RemoveAdapter(parent.Key, resident.Key);
        }
        else
        {
            scheduler.RemoveBase(resident.Key);
            runner.RemoveBase(resident.Key);
        }
    });

    private async Task<AdapterLoad> OpenAdapterAsync(ArtifactFolder folder, ResidentModel resident, ResidentModel parent)
    {
        var baseContent = await parent.Loaded.Task;
        return new AdapterLoad(
            baseContent.ReadAdapter(folder.Path),
            baseContent,
            adapter => engine.InvokeAsync(() => runner.AddAdapter(parent.Key, resident.Key, adapter)));
    }
}
