using System.Globalization;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Weights;

/// <summary>Measures the whole process, so nothing may run beside it.</summary>
[CollectionDefinition(nameof(LoadMemoryTests), DisableParallelization = true)]
[Collection(nameof(LoadMemoryTests))]
public sealed class LoadMemoryTests : IDisposable
{
    private const string PeakReset = "/proc/self/clear_refs";

    private static readonly LlamaConfig s_config = SmallConfigs.Grouped with
    {
        VocabularySize = 16_000,
        ModelWidth = 1024,
        FeedForwardWidth = 4096,
        LayerCount = 6,
        QueryHeads = 16,
        KeyValueHeads = 16,
        HeadWidth = 64,
        StorageType = "bfloat16",
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("load-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(BaseFormat.Bf16)]
    [InlineData(BaseFormat.Fp32)]
    public void A_sharded_folder_is_loaded_without_ever_holding_two_copies(BaseFormat format)
    {
        Assert.SkipUnless(File.Exists(PeakReset), "This system does not tell the most memory of a process.");
        HuggingFaceFolder.WriteFile(Path.Combine(_folder, "config.json"), s_config.ToJson());
        HuggingFaceFolder.WriteWeights(_folder, [.. WeightPlan.Of(s_config).Select(Hole)], shardSizeBytes: 50_000_000);
        Assert.True(Directory.GetFiles(_folder, "*.safetensors").Length > 3);

        ResetPeak();
        var before = Status("VmRSS");
        using var model = ModelFolder.Load(_folder, format: format);
        var weights = model.Parameters.Sum(p => p.Value.numel() * p.Value.element_size());
        var grown = Status("VmHWM") - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"{weights / 1e6:F0} MB of weights took {grown / 1e6:F0} MB");
        Assert.InRange(grown, weights * 0.8, (weights * 1.1) + 80e6);
    }

    // Holes read as zeros and take no room on the disk.
    private static TensorSource Hole(PlannedWeight weight)
    {
        var source = new TensorSource(weight.Name, ScalarType.BFloat16, weight.Shape, _ => { });
        return source with
        {
            WriteTo = stream =>
            {
                stream.SetLength(stream.Position + source.SizeBytes);
                stream.Seek(source.SizeBytes, SeekOrigin.Current);
            },
        };
    }

    private static void ResetPeak()
    {
        // What earlier tests freed would be used again, and the load would seem to take nothing.
        GC.Collect();
        NativeHeap.Release();
        using var file = new StreamWriter(PeakReset);
        file.Write('5');
    }

    private static double Status(string key) => 1024.0 * long.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith(key + ":", StringComparison.Ordinal)).Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
