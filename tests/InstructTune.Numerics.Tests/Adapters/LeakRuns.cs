using System.Diagnostics;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>Work repeated for many steps, after each of which no tensor may have stayed.</summary>
internal static class LeakRuns
{
    private static readonly StepSeed s_seed = StepSeed.Of(13, "stage", 0, "leak");

    public static void Full(int steps)
    {
        using var model = SmallConfigs.Random(SmallConfigs.Grouped, s_seed, BaseFormat.Fp32);
        model.SetTrainable(true);
        Train(steps, new Trainee(model, null));
    }

    public static void Lora(int steps, BaseFormat format, bool useDora)
    {
        using var model = SmallConfigs.Random(SmallConfigs.Grouped, s_seed, format);
        using var adapter = LoraAdapter.Create(model, new LoraConfig { Dropout = 0.1, TargetModules = LoraConfig.AllLinear, UseDora = useDora }, s_seed);
        adapter.SetTrainable(true);
        Train(steps, new Trainee(model, adapter));
    }

    public static void Serving(int steps)
    {
        using var model = SharedBaseTests.Model(BaseFormat.Nf4);
        using var bank = SharedBaseTests.Bank(model);
        using var cache = new KvCache(model.Config, 5, 128);
        Repeat(steps, step =>
        {
            using var scope = NewDisposeScope();
            var place = step % 100;
            var batch = new StepBatch([.. Enumerable.Range(0, 5).Select(i => new StepSequence(i, place, new[] { step % 90 }, i == 4 ? null : i))]);
            _ = model.NextLogits(model.Hidden(batch, cache, bank));
        });
    }

    private static void Train(int steps, Trainee trainee)
    {
        using var optimizer = Optimizer.Create(trainee.Weights, new AdamWSettings());
        var training = new TrainingStep(trainee, optimizer, 1);
        var rows = Enumerable.Range(0, 3).Select(i => new TokenizedExample(SmallConfigs.Text(9 + i, i), [.. Enumerable.Range(0, 9 + i).Select(t => t > 3)])).ToArray();
        Repeat(steps, step => Assert.True(training.Run([rows], 1e-4, s_seed.Derive("step", step), static () => NoTurn.Instance).IsFinite));
    }

    // The first steps make what stays: gradients' buffers, tables, scripts.
    private static void Repeat(int steps, Action<int> step)
    {
        step(0);
        step(1);
        var budget = TensorBudget.Start();
        var before = ResidentBytes();
        for (var i = 2; i < steps; i++)
        {
            step(i);
            budget.Require(0);
        }

        if (steps >= 10_000)
        {
            // Counts see tensors; the process's memory sees everything else.
            Assert.InRange(ResidentBytes() - before, long.MinValue, 200L << 20);
        }
    }

    private static long ResidentBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private sealed record Trainee(LlamaModel Model, LoraAdapter? Adapter) : ITrainee
    {
        public IReadOnlyList<NamedTensor> Weights { get; } = Adapter?.Parameters ?? Model.Parameters;

        public int VocabularySize => Model.Config.VocabularySize;

        public Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement) => Model.Hidden(ids_BT, Adapter, seed, placement);

        public Tensor Logits(Tensor hidden_RD) => Model.Logits(hidden_RD, Adapter);

    public double Backward(PaddedBatch batch, StepSeed seed, long stepTrainedTokens, Action<StepPhase>? entered) =>
        Model.Backward(batch, stepTrainedTokens, new BackwardSettings { Adapter = Adapter, Dropout = seed, Entered = entered });
    }

    private sealed class NoTurn : IDisposable
    {
        public static NoTurn Instance { get; } = new();

        public void Dispose()
        {
            // Nobody waits.
        }
    }
}
