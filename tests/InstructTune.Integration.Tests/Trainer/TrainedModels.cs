using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using TorchSharp;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>What tests of whole trainings do with the models that jobs publish.</summary>
internal static class TrainedModels
{
    public static async Task<string> PathOfAsync(this TrainerFixture trainer, string version)
    {
        var parts = version.Split('/');
        var manifest = trainer.Registry.Find(parts[1], parts[3])!.ManifestSha256;
        return (await trainer.Services.GetRequiredService<IArtifactStore>().OpenAsync(manifest, CancellationToken.None)).Path;
    }

    public static async Task<LlamaModel> LoadAsync(this TrainerFixture trainer, string version) => ModelFolder.Load(await trainer.PathOfAsync(version));

    /// <summary>The job, cancelled after so many steps and resumed, once it has succeeded.</summary>
    public static async Task<FineTuneJob> CancelAndResumeAsync(this TrainerFixture trainer, FineTuneSpec spec, int steps)
    {
        var name = (await trainer.CreateAsync(spec)).Name;
        await trainer.WatchUntilAsync(name, entry => entry.MetricsReported is { } metrics && metrics.Step >= steps);
        await trainer.Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name });
        var (_, history) = await trainer.EndOfAsync(name);
        await trainer.Jobs.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = name });
        var (resumed, _) = await trainer.EndOfAsync(name, history[^1].Sequence);
        Assert.True(resumed.Job.State == JobState.Succeeded, resumed.Job.Error?.ToString());
        return resumed;
    }

    /// <summary>Two models with their adapters give the same scores, and other ones than the second without its adapter.</summary>
    public static void AssertEqual((LlamaModel Model, LoraAdapter Adapter) expected, (LlamaModel Model, LoraAdapter Adapter) actual)
    {
        using var scope = torch.NewDisposeScope();
        using var frozen = torch.no_grad();
        var ids = torch.arange(3, 40, torch.ScalarType.Int64).unsqueeze(0);
        var (wanted, given, plain) = (Logits(expected.Model, expected.Adapter), Logits(actual.Model, actual.Adapter), Logits(actual.Model, null));
        Assert.InRange((wanted - given).abs().max().item<float>(), 0, 2e-5f);
        Assert.True((wanted - plain).abs().max().item<float>() > 1e-2, "the adapter changes nothing");

        torch.Tensor Logits(LlamaModel model, LoraAdapter? adapter) => model.Logits(model.Hidden(ids, adapter).squeeze(0), adapter);
    }
}
