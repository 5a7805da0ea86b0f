using InstructTune.Inference.Engine;
using InstructTune.Kernels;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Models;

/// <summary>Models from the artifact store to the engine. Files are read here, on the pool; only the hand-over is a command.</summary>
internal sealed partial class ModelLoader(
    IArtifactStore artifacts, EngineLoop engine, LlamaRunner runner, Scheduler scheduler, Team team, KernelLoad kernels, IOptions<InferenceOptions> options,
    ILogger<ModelLoader> logger)
    : IModelLoader
{
    public async Task<IModelLoad> OpenAsync(ResidentModel resident, CancellationToken cancellationToken)
    {
        var folder = await artifacts.OpenAsync(resident.Sha256, cancellationToken);
        return resident.Parent is { } parent
            ? await OpenAdapterAsync(folder, resident, parent)
            : OpenBase(folder, resident);
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

    private BaseLoad OpenBase(ArtifactFolder folder, ResidentModel resident)
    {
        var files = new BaseFiles(resident.Sha256, folder, ModelFolder.ReadConfig(folder.Path), resident.Form);
        return new BaseLoad(files, options.Value, kernels, team, (loaded, slots) => engine.InvokeAsync(() =>
        {
            runner.AddBase(resident.Key, loaded);
            scheduler.AddBase(resident.Key, slots);
        }));
    }

    private async Task<AdapterLoad> OpenAdapterAsync(ArtifactFolder folder, ResidentModel resident, ResidentModel parent)
    {
        var baseContent = await parent.Loaded.Task;
        return new AdapterLoad(
            baseContent.ReadAdapter(folder.Path, warning => OddAdapter(resident.Sha256, warning)),
            baseContent,
            adapter => engine.InvokeAsync(() => runner.AddAdapter(parent.Key, resident.Key, adapter)));
    }

    [LoggerMessage(6022, LogLevel.Warning, "The adapter {Sha256} is served, but {Warning}.")]
    private partial void OddAdapter(string sha256, string warning);
}
