using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.V1;

namespace InstructTune.Cli.Specs;

/// <summary>The common fine-tune on one command line: a base, a generalist dataset, a specialist dataset, a few numbers.</summary>
internal sealed class FineTuneFlags
{
    private readonly Option<string?> _base = new("--base")
    {
        Description = "Model to start from: a name (NAME, NAME@VERSION), a checkpoint of a job (fineTuneJobs/JOB/checkpoints/ID), or a Hugging Face folder, "
            + "which is imported first.",
        HelpName = "MODEL",
    };

    private readonly Option<string?> _generalist = new("--generalist")
    {
        Description = "First stage: broad instruction data. A dataset (NAME, NAME@VERSION) or a file, which is imported first; "
            + "or a mix of several: NAME,NAME one after another, NAME=3,NAME=1 by shares until the first is used up.",
        HelpName = "DATASET",
    };

    private readonly Option<string?> _specialist = new("--specialist")
    {
        Description = "Second stage: the data of the task, in the same forms. Either stage may be left out.",
        HelpName = "DATASET",
    };

    private readonly Option<string> _method = new Option<string>("--method")
    {
        Description = "lora trains small adapters, qlora the same over a base in four bits, freeze the last --last-layers of the model, full all weights.",
        DefaultValueFactory = _ => "lora",
    }.AcceptOnlyFromAmong("lora", "qlora", "freeze", "full");

    private readonly Option<string?> _epochs = PerStage("--epochs", "Passes over the data (server's default: 3).");
    private readonly Option<string?> _maxExamples = PerStage("--max-examples", "Use at most this many examples.");
    private readonly Option<string?> _maxSteps = PerStage("--max-steps", "End the stage after this many optimizer steps.");
    private readonly Option<string?> _batchSize = PerStage("--batch-size", "Examples per optimizer step.");
    private readonly Option<string?> _learningRate = PerStage("--learning-rate", "Peak rate (server's default: 2e-4 for lora, 2e-5 for full).");
    private readonly Option<string?> _maxTokens = PerStage("--max-sequence-tokens", "Longer examples lose the beginning of their prompt.");
    private readonly Option<int> _rank = new("--rank") { Description = "Rank of the adapters (server's default: 16).", HelpName = "R" };
    private readonly Option<int> _lastLayers = new("--last-layers") { Description = "For --method freeze: how many blocks are trained.", HelpName = "N" };
    private readonly Option<ulong> _seed = new("--seed") { Description = "Equal seeds and data give equal weights.", HelpName = "N" };

    public Command AddTo(Command command) => command.With(
        _base, _generalist, _specialist, _method, _epochs, _maxExamples, _maxSteps, _batchSize, _learningRate, _maxTokens, _rank, _lastLayers, _seed);

    /// <summary>The first of these options that was given, for the message that says they exclude a file.</summary>
    public string? FirstGiven(CommandCall call) =>
        ((Option[])[_base, _generalist, _specialist, _method, _epochs, _maxExamples, _maxSteps, _batchSize, _learningRate, _maxTokens, _rank, _lastLayers, _seed])
            .FirstOrDefault(call.Has)?.Name;

    /// <summary>The spec, in which base and datasets are still as typed: they may be paths.</summary>
    public FineTuneSpec Read(CommandCall call)
    {
        var stages = Stages(call);
        if (call.Value(_base) is not { Length: > 0 } baseModel || stages.Count == 0)
        {
            throw CliException.Usage("Give --base MODEL and --generalist or --specialist DATASET (or both), or a job file with -f.");
        }

        var spec = new FineTuneSpec { BaseModel = baseModel, Seed = call.Value(_seed), Method = Method(call) };
        var ids = stages.Select(stage => stage.Id).ToList();
        spec.Stages.AddRange(stages.Select(stage => Stage(call, stage.Id, stage.Dataset, ids)));
        return spec;
    }

    private List<(string Id, string Dataset)> Stages(CommandCall call)
    {
        var stages = new List<(string, string)>();
        foreach (var (id, option) in ((string, Option<string?>)[])[("generalist", _generalist), ("specialist", _specialist)])
        {
            if (call.Value(option) is { Length: > 0 } dataset)
            {
                stages.Add((id, dataset));
            }
        }

        return stages;
    }

    private FineTuneSpec.Types.TrainingMethod Method(CommandCall call)
    {
        var method = call.Value(_method);
        if (call.Has(_rank) && method is not ("lora" or "qlora"))
        {
            throw CliException.Usage("--rank is for --method lora and qlora.");
        }

        if (call.Has(_lastLayers) != (method == "freeze"))
        {
            throw CliException.Usage("--method freeze and --last-layers need each other.");
        }

        return method switch
        {
            "lora" => new() { Lora = new() { Rank = call.Value(_rank) } },
            "qlora" => new() { Qlora = new() { Lora = new() { Rank = call.Value(_rank) } } },
            "freeze" => new() { Freeze = new() { TrainableLastLayers = call.Value(_lastLayers) } },
            _ => new() { Full = new() },
        };
    }

    private FineTuneSpec.Types.Stage Stage(CommandCall call, string id, string dataset, List<string> ids)
    {
        var mix = MixFlag.Parse(dataset, "--" + id);
        return new()
        {
            StageId = id,
            Dataset = mix is null ? dataset : "",
            Mix = mix,
            Epochs = Number<double>(_epochs) ?? 0,
            MaxExamples = Number<long>(_maxExamples) ?? 0,
            MaxSteps = Number<long>(_maxSteps) ?? 0,
            BatchSize = Number<int>(_batchSize) ?? 0,
            PeakLearningRate = Number<double>(_learningRate) ?? 0,
            MaxSequenceTokens = Number<int>(_maxTokens) ?? 0,
        };

        T? Number<T>(Option<string?> option)
            where T : struct, System.Numerics.INumber<T> =>
            StageValue.For<T>(call.Value(option), id, ids, option.Name);
    }

    private static Option<string?> PerStage(string name, string description) =>
        new(name) { Description = description + " One number, or generalist=N,specialist=N.", HelpName = "N" };
}
