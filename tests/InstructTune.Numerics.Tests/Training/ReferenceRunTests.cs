using System.Text.Json;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>Whole runs of transformers and PEFT, step by step: loss, gradient norm, rate and weights.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class ReferenceRunTests
{
    // What two implementations of the same arithmetic in float32 differ by; the reference's own repetition in plain torch needs as much.
    private const double LossTolerance = 1e-5;
    private const double RelativeNormTolerance = 1e-5;
    private const double FullWeightTolerance = 1e-5;
    private const double AdapterWeightTolerance = 2e-5;

    [Fact]
    public void Every_run_gives_the_losses_norms_rates_and_weights_of_the_reference()
    {
        var root = ReferenceOutputs.Folder("training");
        var runs = Directory.EnumerateFiles(root, "run.json", SearchOption.AllDirectories)
            .Select(path => Path.GetDirectoryName(path)!)
            .Where(folder => File.Exists(Path.Combine(folder, "steps.jsonl")))
            .ToArray();
        Assert.NotEmpty(runs);
        foreach (var folder in runs)
        {
            Compare(root, folder);
        }
    }

    [Theory]
    [InlineData("steps_packed.jsonl")]
    [InlineData("steps_unpacked.jsonl")]
    public void The_packed_run_and_its_unpacked_twin_give_the_losses_and_norms_of_the_reference(string steps)
    {
        using var scope = NewDisposeScope();
        var root = ReferenceOutputs.Folder("training");
        var folder = ReferenceOutputs.Folder("training", "packed");
        var run = Json(Path.Combine(folder, "run.json"));
        using var trainee = new ReferenceTrainee(Path.Combine(root, run.GetProperty("model").GetString()!));
        var examples = ReferenceRun.Rows(Path.Combine(root, run.GetProperty("data").GetString()!));
        var capacity = Json(Path.Combine(folder, "info.json")).GetProperty("capacity").GetInt32();
        var packed = PackingPlan.Of([.. examples.Select(example => example.Ids.Length)], capacity)
            .Select(row => TokenizedExample.Pack([.. row.Select(index => examples[index])])).ToArray();
        using var optimizer = Optimizer.Create(trainee.Weights, OptimizerReferences.AdamW(run));
        var schedule = new LearningRateSchedule(
            ScheduleShape.Cosine, run.GetProperty("lr").GetDouble(), run.GetProperty("steps").GetInt64(), run.GetProperty("warmup_steps").GetInt64());
        var training = new TrainingStep(trainee, optimizer, run.GetProperty("max_grad_norm").GetDouble());
        using var turns = new DeviceTurns();
        foreach (var step in File.ReadLines(Path.Combine(folder, steps)).Select(line => JsonDocument.Parse(line).RootElement))
        {
            var rows = step.TryGetProperty("packed_rows", out var indices) ? packed : examples;
            var batch = (indices.ValueKind == JsonValueKind.Array ? indices : step.GetProperty("examples")).EnumerateArray().Select(index => rows[index.GetInt32()]);
            CompareStep($"packed/{steps}", step, [[.. batch]], schedule, training, turns);
        }
    }

    private static void Compare(string root, string folder)
    {
        using var scope = NewDisposeScope();
        var run = Json(Path.Combine(folder, "run.json"));
        var isFull = run.GetProperty("method").GetString() == "full";
        using var trainee = new ReferenceTrainee(
            Path.Combine(root, run.GetProperty("model").GetString()!),
            isFull ? null : ReferenceTrainee.LoraOf(run),
            isFull ? null : Path.Combine(folder, run.GetProperty("initial").GetString()!));
        if (run.TryGetProperty("starts_from", out _))
        {
            trainee.Load(Directory.EnumerateFiles(Path.Combine(Path.GetDirectoryName(folder)!, "generalist"), "weights_*.safetensors").Max()!);
        }

        Assert.Equal(Names(run, "decays"), trainee.Weights.Select(weight => weight.Name).Where(Optimizer.Decays).Order(StringComparer.Ordinal));
        Assert.Equal(Names(run, "does_not_decay"), trainee.Weights.Select(weight => weight.Name).Where(name => !Optimizer.Decays(name)).Order(StringComparer.Ordinal));
        var rows = ReferenceRun.Rows(Path.Combine(root, run.GetProperty("data").GetString()!));
        using var optimizer = Optimizer.Create(trainee.Weights, OptimizerReferences.AdamW(run));
        var schedule = new LearningRateSchedule(
            run.GetProperty("schedule").GetString() == "linear" ? ScheduleShape.Linear : ScheduleShape.Cosine,
            run.GetProperty("lr").GetDouble(), run.GetProperty("steps").GetInt64(), run.GetProperty("warmup_steps").GetInt64());
        var training = new TrainingStep(trainee, optimizer, run.GetProperty("max_grad_norm").GetDouble());
        using var turns = new DeviceTurns();
        foreach (var step in File.ReadLines(Path.Combine(folder, "steps.jsonl")).Select(line => JsonDocument.Parse(line).RootElement))
        {
            Compare(run.GetProperty("name").GetString()!, step, rows, schedule, training, turns);
            CompareWeights(folder, step.GetProperty("step").GetInt32(), trainee, isFull ? FullWeightTolerance : AdapterWeightTolerance);
            CompareDigests(folder, step.GetProperty("step").GetInt32(), trainee);
        }
    }

    private static void Compare(
        string name, JsonElement step, TokenizedExample[] rows, LearningRateSchedule schedule, TrainingStep training, DeviceTurns turns)
    {
        var microBatches = step.GetProperty("micro_batches").EnumerateArray()
            .Select(batch => (IReadOnlyList<TokenizedExample>)[.. batch.EnumerateArray().Select(row => rows[row.GetInt32()])])
            .ToArray();
        CompareStep(name, step, microBatches, schedule, training, turns);
    }

    private static void CompareStep(
        string name, JsonElement step, IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches, LearningRateSchedule schedule, TrainingStep training,
        DeviceTurns turns)
    {
        var number = step.GetProperty("step").GetInt32();
        var rate = schedule.Rate(number - 1);
        Parity.Within("training rates", $"{name}/{number}", Math.Abs(step.GetProperty("lr").GetDouble() - rate), 1e-12);
        var result = training.Run(microBatches, rate, new StepSeed(0), () => turns.Enter(CancellationToken.None));
        Assert.Equal(step.GetProperty("tokens").GetInt64(), result.TrainedTokenCount);
        var norm = step.GetProperty("grad_norm").GetDouble();
        Parity.Within("training losses", $"{name}/{number}", Math.Abs(result.Loss - step.GetProperty("loss").GetDouble()), LossTolerance);
        Parity.Within("training gradient norms", $"{name}/{number}", Math.Abs(result.GradientNorm - norm) / norm, RelativeNormTolerance);
    }

    // Of every tensor at some steps, also where the tensors themselves are not stored.
    private static void CompareDigests(string folder, int step, ReferenceTrainee trainee)
    {
        var file = Path.Combine(folder, "digests.json");
        if (File.Exists(file) && Json(file).TryGetProperty(step.ToString(System.Globalization.CultureInfo.InvariantCulture), out var digests))
        {
            foreach (var weight in trainee.Weights)
            {
                ReferenceRun.CompareDigest("training weight digests", $"{Path.GetFileName(folder)}/{step}/{weight.Name}", weight.Value, digests.GetProperty(weight.Name), FullWeightTolerance);
            }
        }
    }

    private static void CompareWeights(string folder, int step, ReferenceTrainee trainee, double tolerance)
    {
        var file = Path.Combine(folder, $"weights_step_{step:D3}.safetensors");
        if (!File.Exists(file))
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var reader = SafetensorsReader.Open(file);
        var (distanceSquared, sizeSquared) = (0.0, 0.0);
        foreach (var weight in trainee.Weights.Where(weight => reader.Find(weight.Name) is not null))
        {
            var expected = reader.ReadFloat32(weight.Name);
            var difference = weight.Value.detach() - expected;
            distanceSquared += (difference * difference).sum().item<float>();
            sizeSquared += (expected * expected).sum().item<float>();
        }

        // Over all weights together: where a gradient is of the order of epsilon, rounding decides single weights by up to the rate.
        var distance = Math.Sqrt(distanceSquared / sizeSquared);
        Parity.Within("training weights", $"{Path.GetFileName(folder)}/{step}", distance, tolerance);
    }

    // The run names parameters of PEFT's modules; its files leave the last part of a magnitude's name out.
    private static string[] Names(JsonElement run, string property) => [.. run.GetProperty(property).EnumerateArray()
        .Select(name => name.GetString()!.Replace("magnitude_vector.weight", "magnitude_vector", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)];

    private static JsonElement Json(string path) => JsonDocument.Parse(File.ReadAllText(path)).RootElement;
}
