using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Weights in fewer bits: how far they are from float32 is measured once and told with the model.</summary>
public sealed class RoundedWeightTests
{
    private static readonly string s_world = Path.Combine(RepositoryRoot.Path, "models", "world-base");

    [Theory]
    [InlineData("int8", 0.9)]
    [InlineData("int4", 0.3)]
    [InlineData("gguf", 0.9)]
    public async Task A_served_model_says_how_far_it_is_from_float32(string format, double leastAgreement)
    {
        await using var host = await InferenceHost.StartAsync(("Inference:WeightFormat", format));
        await host.PublishBaseAsync(InferenceHost.Base, WriteWorld);
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "repeat the word w7", maxTokens: 4));

        var served = Assert.Single((await ListAsync(host)).ServedModels);
        Assert.Equal(format, served.Numerics["element_type"]);
        Assert.InRange(served.Parity.TokenCount, 50, 1000);
        Assert.InRange(served.Parity.TokenAgreement, leastAgreement, 1);
        Assert.InRange(served.Parity.MaxLogitDifference, 1e-4, 20);
        Assert.InRange(Math.Abs(served.Parity.LossDifference), 0, 2);
    }

    [Fact]
    public async Task Float32_needs_no_certificate()
    {
        await using var host = await InferenceHost.StartAsync(("Inference:WeightFormat", "float32"));
        await host.PublishBaseAsync(InferenceHost.Base, WriteWorld);
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "repeat the word w7", maxTokens: 4));
        Assert.Null(Assert.Single((await ListAsync(host)).ServedModels).Parity);
    }

    [Fact]
    public async Task A_model_with_its_GGUF_file_takes_the_memory_of_the_file()
    {
        await using var host = await InferenceHost.StartAsync(("Inference:WeightFormat", "gguf"), ("Inference:CacheBytes", "1048576"));
        var sha256 = await host.PublishBaseAsync(InferenceHost.Base, WriteWorld);
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "repeat the word w7", maxTokens: 4));
        var stored = new FileInfo(Path.Combine(host.ArtifactFolder(sha256), KernelModelFolder.StoredName)).Length;
        var steps = KernelPass.SizeBytes(ModelFolder.ReadConfig(s_world), rows: 256, rank: 16, members: 1);
        Assert.InRange(Assert.Single((await ListAsync(host)).ServedModels).DeviceBytes, stored + steps, stored + steps + 1_048_576);
    }

    private static void WriteWorld(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(s_world, "*.*").Where(file => !file.EndsWith(".md", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
        GgufExport.Write(Path.Combine(folder, KernelModelFolder.StoredName), s_world, GgufTensorType.Q8_0, "world");
    }

    private static async Task<ListServedModelsResponse> ListAsync(InferenceHost host) =>
        await host.Client.ListServedModelsAsync(new ListServedModelsRequest(), cancellationToken: TestContext.Current.CancellationToken);
}
